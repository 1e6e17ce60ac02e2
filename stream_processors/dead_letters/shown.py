"""Foreign bytes and texts on a terminal: nothing in them may speak to it."""

from typing import Final

MOST_CHARS: Final = 2_000


def shown(content: bytes | str | None, most_chars: int = MOST_CHARS) -> str:
    """Return content as printable characters on one line, cut where it is long.

    Controls, line ends, direction marks and bytes that are no UTF-8 appear as escapes, so that a
    terminal executes nothing and no character hides another.
    """
    if content is None:
        return "(none)"
    text = content.decode(errors="backslashreplace") if isinstance(content, bytes) else content
    cut = text[:most_chars]
    safe = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in cut
    )
    return f"{safe}… ({len(text) - len(cut):,} more characters)" if len(text) > len(cut) else safe
