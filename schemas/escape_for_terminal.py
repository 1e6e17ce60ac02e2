"""Foreign bytes and texts on a terminal: nothing in them may speak to it."""

from typing import Final

MOST_CHARS: Final = 2_000
JOINERS: Final = "\u200c\u200d"
"""Not printable, but part of how emoji and many scripts are written: pages keep them."""


def shown(content: bytes | str | None, most_chars: int = MOST_CHARS) -> str:
    """Return content as printable characters on one line, cut where that leaves less to read.

    Controls, line ends, direction marks and bytes that are no UTF-8 appear as escapes, so that a
    terminal executes nothing and no character hides another.
    """
    if content is None:
        return "(none)"
    text = content.decode(errors="backslashreplace") if isinstance(content, bytes) else content
    hidden = len(text) - most_chars
    note = f"… ({hidden:,} more characters)"
    if hidden <= len(note):
        return printable(text)
    return printable(text[:most_chars]) + note


def printable(text: str, keep: str = "") -> str:
    """Return the whole text with escapes for what is not printable and not in `keep`."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in keep
        else character.encode("unicode_escape").decode()
        for character in text
    )


def printable_json(document: bytes) -> bytes:
    r"""Return the same JSON, in which what is not printable stands as `\u` and four digits.

    JSON leaves all but 32 of the controls as they are. Line ends between values stay.
    """
    text = document.decode()
    if text.isprintable():
        return document
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else "".join(f"\\u{unit:04x}" for unit in _utf16(character))
        for character in text
    ).encode()


def _utf16(character: str) -> tuple[int, ...]:
    code = ord(character)
    if code < 0x10000:
        return (code,)
    return 0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)
