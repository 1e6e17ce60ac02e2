"""The documents on a line that is not one: several, or torn ones, as crashes leave them."""

import json
import re
from typing import Final

_BETWEEN: Final = " \t\r\n\0\x1e,;"
_BEGINNING: Final = re.compile(r'\{\s*"[^"\\]{1,64}"\s*:')
_MOST_TORN: Final = 20
"""Each costs another look at the rest of the line."""

_LONGEST_BYTES: Final = 1024 * 1024

_decoder: Final = json.JSONDecoder()


def documents_on(raw: bytes) -> list[bytes]:
    """Return the documents on a line and what is left of torn ones, in their order.

    A torn one ends where the next begins as the first one does. A line above 1 MiB is one.
    """
    if len(raw) > _LONGEST_BYTES:
        return [raw]
    line = raw.decode("utf-8", "surrogateescape").strip(_BETWEEN)
    opening = _BEGINNING.search(line)
    if opening is None:
        return [raw] if line else []
    parts = [line[: opening.start()]]
    at, torn = opening.start(), 0
    while at < len(line):
        try:
            end = _decoder.raw_decode(line, at)[1]
        except (ValueError, RecursionError):
            torn += 1
            following = line.find(opening[0], at + 1) if torn < _MOST_TORN else -1
            end = following if following > 0 else len(line)
        parts.append(line[at:end])
        at = end
        while at < len(line) and line[at] in _BETWEEN:
            at += 1
    stripped = (part.strip(_BETWEEN) for part in parts)
    return [part.encode("utf-8", "surrogateescape") for part in stripped if part]
