"""Which tweets an open window has counted: a repeat, or an edit, counts no second time.

Kept as hashes of ids, in PostgreSQL, until the window is closed. What comes after that is late.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import cursor

_MOST_CHUNKS: Final = 32
"""Each batch adds a chunk to a window; so many are made one."""

Ranks = npt.NDArray[np.int64]


def count_once(cur: cursor, run: str, start: datetime, ranks: Sequence[int]) -> list[bool]:
    """Tell of each tweet whether it is the first of its rank in a window, and remember them all.

    The rank stands for the tweet: of a million tweets in a window, two share one in a million
    windows.
    """
    offered = np.array(ranks, dtype=np.int64)
    cur.execute(
        "SELECT ranks FROM watch_seen WHERE run = %s AND window_start = %s ORDER BY chunk",
        (run, start),
    )
    chunks: list[Ranks] = [np.frombuffer(chunk, dtype="<i8") for (chunk,) in cur]
    known = np.concatenate(chunks) if chunks else np.empty(0, dtype=np.int64)
    first = np.zeros(len(offered), dtype=bool)
    first[np.unique(offered, return_index=True)[1]] = True
    first &= ~np.isin(offered, known)
    new = offered[first]
    if len(chunks) >= _MOST_CHUNKS:
        cur.execute("DELETE FROM watch_seen WHERE run = %s AND window_start = %s", (run, start))
        new, chunks = np.concatenate([known, new]), []
    if len(new):
        cur.execute(
            "INSERT INTO watch_seen (run, window_start, chunk, ranks) VALUES (%s, %s, %s, %s)",
            (run, start, len(chunks), new.astype("<i8").tobytes()),
        )
    found: list[bool] = first.tolist()
    return found


def forget_seen(cur: cursor, run: str, until: datetime) -> None:
    """Forget the tweets of windows that start before a moment: they are closed."""
    cur.execute("DELETE FROM watch_seen WHERE run = %s AND window_start < %s", (run, until))
