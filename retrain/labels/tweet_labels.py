"""What people said of one tweet."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from schemas.transport.postgres import Connection

_LABELS: Final = """
SELECT version, labeller, origin, label, answer_seen, labelled_at FROM labels
WHERE root_id = %(root_id)s AND run = %(run)s
ORDER BY labelled_at DESC, labeller, origin, repeat LIMIT %(most)s
"""


class TweetLabel(Struct, frozen=True, kw_only=True):
    """A label that somebody gave a version of a tweet; None: they were unsure."""

    version: int
    labeller: str
    origin: str
    label: str | None
    answer_seen: bool
    labelled_at: datetime


def labels_of_tweet(
    connection: Connection, run: str, root_id: str, *, most: int
) -> list[TweetLabel]:
    """Return what people said of a tweet, the newest first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_LABELS, {"run": run, "root_id": root_id, "most": most})
        return [
            TweetLabel(**dict(zip(TweetLabel.__struct_fields__, row, strict=True)))
            for row in cursor
        ]
