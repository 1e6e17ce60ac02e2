"""The id of a tweet whose archive has none."""

import hashlib


def made_id(content: str, line: int, place: int = 0) -> str:
    """Return an id of 32 hexadecimal digits: the same file and line always give the same.

    `content` identifies what is read (a file's hash); `place` counts the tweets of a page, from 0.
    """
    where = f"{content}:{line}" if place == 0 else f"{content}:{line}:{place}"
    return hashlib.sha256(where.encode()).hexdigest()[:32]
