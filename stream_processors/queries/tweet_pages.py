"""Tweets of a run in pages, and the versions of one tweet in every run."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from schemas.transport.postgres import Connection
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
from stream_processors.aggregates.count_rows import CHOSEN
from stream_processors.queries.export_rows import COLUMNS, Choice, ExportRow

# In the order of the page: PostgreSQL thinks it cheaper to join all tweets of a run and sort them.
_IN_ORDER: Final = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

# By the primary key, so that each page costs the same however far on it is. Ids of X grow with
# time: the newest come first.
_PAGE: Final = f"""
SELECT t.day, {COLUMNS}
WHERE t.run = %(run)s AND s.run = %(run)s {CHOSEN}
  AND (%(root_id)s::text IS NULL OR (t.root_id, t.day) < (%(root_id)s, %(day)s::date))
  AND (%(hashtags)s::text[] IS NULL OR t.hashtags && %(hashtags)s::text[])
  AND t.text ILIKE ALL (%(words)s::text[])
ORDER BY t.root_id DESC, t.day DESC LIMIT %(most)s
"""

_ONE: Final = f"""
SELECT t.run, {COLUMNS}
WHERE (t.root_id = %(id)s OR (t.version > 0 AND t.edit_history @> ARRAY[%(id)s]))
  AND (%(run)s::text IS NULL OR t.run = %(run)s)
ORDER BY t.run, t.day LIMIT %(most)s
"""


class Place(NamedTuple):
    """Where a tweet stands in the order of pages."""

    root_id: str
    day: date


class Page(NamedTuple):
    """Tweets, and the place of the last one where more may follow."""

    rows: list[ExportRow]
    end: Place | None


def page_of(
    connection: Connection,
    run: str,
    choice: Choice,
    *,
    words: Sequence[str],
    after: Place | None,
    most: int,
    hashtags: Sequence[str] = (),
) -> Page:
    """Return at most so many tweets after a place, by id, the highest first.

    Each of `words` stands somewhere in the text, in capitals or not; of `hashtags` the tweet has
    one at least, where any are given.
    """
    selection = choice.selection
    with connection, connection.cursor() as cursor:
        cursor.execute(_IN_ORDER)
        cursor.execute(
            _PAGE,
            {
                "run": run,
                "first": FIRST_TWEET,
                "last": LAST_MOMENT,
                "start": choice.start,
                "end": choice.end,
                "rules": list(selection.rules) or None,
                "labels": list(selection.labels) or None,
                "languages": list(selection.languages) or None,
                "root_id": after.root_id if after else None,
                "day": after.day if after else None,
                "hashtags": list(hashtags) or None,
                "words": [f"%{_literally(word)}%" for word in words],
                "most": most,
            },
        )
        found = cursor.fetchall()
    rows = [ExportRow(*row[1:]) for row in found]
    if len(rows) < most:
        return Page(rows, None)
    return Page(rows, Place(rows[-1].root_id, found[-1][0]))


def tweets_of_id(
    connection: Connection, tweet_id: str, run: str | None, *, most: int
) -> list[tuple[str, ExportRow]]:
    """Return the tweet of this id, or that it is a version of, with each run that holds it."""
    with connection, connection.cursor() as cursor:
        values: dict[str, Any] = {
            "id": tweet_id,
            "run": run,
            "most": most,
            "first": FIRST_TWEET,
            "last": LAST_MOMENT,
        }
        cursor.execute(_ONE, values)
        return [(row[0], ExportRow(*row[1:])) for row in cursor]


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
