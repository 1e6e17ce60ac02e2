"""Foreign bytes and texts on a terminal: nothing in them may speak to it."""

from typing import Final

MOST_CHARS: Final = 2_000


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
        return _safe(text)
    return _safe(text[:most_chars]) + note


def _safe(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
