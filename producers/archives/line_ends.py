"""What ends a line: one answer for telling formats apart and for reading them."""

from typing import Final

_DECIDING_BYTES: Final = 64 * 1024
_LINE_FEED: Final = b"\n"
_CARRIAGE_RETURN: Final = b"\r"
UTF8_BOM: Final = b"\xef\xbb\xbf"


def line_end_of(beginning: bytes) -> bytes:
    """Return what ends the lines of a file that begins so: a line feed, or a carriage return.

    Carriage returns end lines where the first line end is one without a line feed behind it, and
    such ones outnumber the line feeds, which then stand within cells: spreadsheets on old Macs
    write so. Only the first 64 KiB count; more of the file never changes the answer.
    """
    beginning = beginning[:_DECIDING_BYTES]
    if len(beginning) == _DECIDING_BYTES:
        beginning = beginning.removesuffix(_CARRIAGE_RETURN)  # what follows it is not known
    if line_feeds_are_certain(beginning) or _CARRIAGE_RETURN not in beginning:
        return _LINE_FEED
    lone = beginning.count(b"\r") - beginning.count(b"\r\n")
    return _CARRIAGE_RETURN if lone > beginning.count(b"\n") else _LINE_FEED


def line_feeds_are_certain(beginning: bytes) -> bool:
    """Tell whether line feeds end the lines, whatever follows: the first line end is one."""
    first = beginning.find(b"\n")
    carriage_return = beginning.find(b"\r", 0, first + 1) if first >= 0 else -1
    return first >= 0 and carriage_return in {-1, first - 1}


def line_end_is_decided(beginning: bytes) -> bool:
    """Tell whether `line_end_of` says the same of every file that begins so."""
    return len(beginning) >= _DECIDING_BYTES or line_feeds_are_certain(beginning)


def lines_of(beginning: bytes) -> list[bytes]:
    """Return the lines of a file's beginning as `LineReader` would; the last may be cut."""
    return [
        line.removeprefix(UTF8_BOM).removesuffix(b"\r").removeprefix(b"\n")
        for line in beginning.split(line_end_of(beginning))
    ]
