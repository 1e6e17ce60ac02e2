"""The first JSON objects of a file, by which formats of JSON lines are told apart."""

from typing import Any, Final

import msgspec

_LINES: Final = 20
_BOM: Final = b"\xef\xbb\xbf"


def first_lines(beginning: bytes) -> list[bytes]:
    """Return the first lines that are not blank, without the space around them."""
    lines = beginning.removeprefix(_BOM).splitlines()
    return [line.strip() for line in lines if line.strip()][:_LINES] or [b""]


def first_objects(beginning: bytes) -> list[dict[str, Any]]:
    """Return the first lines that are JSON objects; broken ones among them hide nothing."""
    found = []
    for line in first_lines(beginning):
        try:
            plain = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(plain, dict):
            found.append(plain)
    return found
