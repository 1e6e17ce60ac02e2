"""Texts of tweets that are shown as examples."""

from collections.abc import Collection
from typing import Final, NamedTuple

from schemas.transport.postgres import Connection

_TEXTS: Final = """
SELECT t.tweet_id, t.root_id, left(t.text, %(chars)s), s.label, s.confidence
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
WHERE t.run = %(run)s AND s.run = %(run)s
  AND (t.root_id = ANY(%(ids)s) OR (t.version > 0 AND t.edit_history && %(ids)s))
"""


class ExampleTweet(NamedTuple):
    """A tweet with the beginning of its text."""

    tweet_id: str
    root_id: str
    text: str
    label: str
    confidence: float


def texts_of(
    connection: Connection, run: str, tweet_ids: Collection[str], *, most_chars: int
) -> dict[str, ExampleTweet]:
    """Return those of the tweets that are stored now, by their ids."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_TEXTS, {"run": run, "ids": sorted(set(tweet_ids)), "chars": most_chars})
        return {row[0]: ExampleTweet(*row) for row in cursor}
