"""A uniform sample of the tweets of a span, found by an index: it costs what it holds.

`audit_level` of a root id is how often its `audit_rank` can be doubled below 2^60. Half of all
tweets have level 0, a quarter level 1, and so on: those of a level and above are a sample that is
the same each time. The index `tweets_sampled` is by level and time.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import floor, log2
from typing import Final, NamedTuple

from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT

_HIGHEST: Final = 20
EVERY_LEVEL: Final = tuple(range(_HIGHEST + 1))

_MORE: Final = 1.3
"""How many more than are wanted a level has to hold: a sample of it is seldom too small then."""

_PLACES_OF_A_ROW: Final = 10
"""So many places in an index cost about what reading a row costs."""

_ORIGIN: Final = datetime(2001, 1, 1, tzinfo=UTC)
_LENGTHS: Final = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)

WIDE_BITMAPS: Final = "SET LOCAL work_mem = '64MB'"
"""For a transaction that reads a sample: where the places of rows take more than `work_mem`,
PostgreSQL reads whole pages for each of them."""

_KEPT_FROM: Final = "SELECT kept_from FROM kept_days WHERE run = %s"


class Piece(NamedTuple):
    """A part of a span that the rollups of a granularity hold exactly."""

    granularity: str
    start: datetime
    end: datetime


def levels_for(tweets: int, most: int) -> list[int]:
    """Return the levels among which `most` of so many tweets, those of the lowest ranks, are found.

    They hold at most some three times as many.
    """
    times = tweets / (most * _MORE + 100)
    lowest = floor(log2(times)) if times >= 1 else 0
    return list(EVERY_LEVEL[min(lowest, _HIGHEST) :])


def pieces_of(start: datetime, end: datetime) -> list[Piece]:
    """Return the fewest whole days, hours and minutes that make up a span, in any order.

    Moments within a minute are taken for its beginning.
    """
    return _pieces(start, end, _LENGTHS)


def _pieces(
    start: datetime, end: datetime, lengths: tuple[tuple[str, timedelta], ...]
) -> list[Piece]:
    if not lengths or start >= end:
        return []
    (granularity, length), *finer = lengths
    last = _floor(end, length)
    if start > last:
        return _pieces(start, end, tuple(finer))
    first = _floor(start, length)
    if finer and first < start:
        first += length
    return [
        *([Piece(granularity, first, last)] if first < last else []),
        *_pieces(start, first, tuple(finer)),
        *_pieces(last, end, tuple(finer)),
    ]


def _floor(moment: datetime, length: timedelta) -> datetime:
    return _ORIGIN + (moment - _ORIGIN) // length * length


def is_whole_minutes(*moments: datetime) -> bool:
    """Tell whether rollups can hold a span between these moments exactly."""
    return not any(moment.second or moment.microsecond for moment in moments)


def counted_by_label(
    cur: cursor, run: str, rule: str, start: datetime, end: datetime
) -> dict[str, int]:
    """Return how many tweets of a rule (empty: all) the rollups hold of a span of whole minutes."""
    tweets: Counter[str] = Counter()
    for piece in pieces_of(start, end):
        cur.execute(
            "SELECT label, sum(tweets) FROM rollups WHERE run = %s AND granularity = %s"
            " AND rule = %s AND bucket_start >= %s AND bucket_start < %s GROUP BY label",
            (run, piece.granularity, rule, piece.start, piece.end),
        )
        tweets.update({label: int(found) for label, found in cur})
    return {label: count for label, count in tweets.items() if count > 0}


def is_found_by_rule(
    cur: cursor, run: str, rule: str, start: datetime, end: datetime, levels: Sequence[int]
) -> bool:
    """Tell whether a sample of a rule is found faster by the index of rules.

    That one gives all tweets of the rule in a partition, which is a day of `live` or a whole run.
    The one by level gives those of all rules in the span, which have to be read then.
    """
    whole = (start, end) if run == LIVE else (FIRST_TWEET, LAST_MOMENT)
    of_rule = sum(counted_by_label(cur, run, rule, *whole).values())
    of_span = sum(counted_by_label(cur, run, "", start, end).values())
    return bool(of_rule / _PLACES_OF_A_ROW < of_span / 2 ** levels[0])


def outlives_tweets(cur: cursor, run: str, start: datetime) -> bool:
    """Tell whether rollups from `start` on hold tweets that were pruned."""
    if run != LIVE:
        return False
    cur.execute(_KEPT_FROM, (run,))
    row = cur.fetchone()
    return row is not None and start.astimezone(UTC).date() < row[0]
