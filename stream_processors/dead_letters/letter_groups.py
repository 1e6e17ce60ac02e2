"""Dead letters counted by where and why they failed."""

from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

_MOST: Final = 50


class LetterGroup(Struct, frozen=True, kw_only=True):
    """Letters that wait for a decision: they failed at one stage, for one reason, in one run."""

    run: str | None
    stage: str
    reason: str
    letters: int


def waiting_groups(cur: cursor) -> list[LetterGroup]:
    """Return the groups of letters with the status new, the largest first; at most 50."""
    cur.execute(
        "SELECT run, stage, reason, count(*) FROM dead_letters WHERE status = 'new'"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT %s",
        (_MOST,),
    )
    return [
        LetterGroup(run=run, stage=stage, reason=reason, letters=letters)
        for run, stage, reason, letters in cur
    ]
