"""Positions in the topics of those who write to PostgreSQL, kept in the transaction of their rows.

PostgreSQL knows best what PostgreSQL holds: after a backup is restored a consumer goes back to
where the backup was taken, and refills what the topics still have. Each position is stored with the
last message before it, by which it is seen whether Kafka still has the same log; some earlier ones
are kept, closer together the newer they are, to go back to where it has not.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.transport.log_proof import LastMessage
from schemas.transport.messages import Partition

SINK: Final = "sink"
WATCH: Final = "watch"
SHADOW: Final = "shadow"
EARLIER_EVERY: Final = 10_000
"""Messages between two earlier positions: what is read again in vain, at most, of a recent loss."""


class StoredPosition(Struct, frozen=True, kw_only=True):
    """Where to go on, and the message before it; `last` is None in rows of older releases."""

    next_offset: int
    last: LastMessage | None


def read_positions(
    cur: cursor, consumer: str, topic_ids: Mapping[str, str], partitions: Iterable[Partition]
) -> dict[Partition, StoredPosition]:
    """Return a consumer's positions in those partitions where it has one.

    What Kafka has committed for the group does not count: it is for those who watch the lag.
    """
    cur.execute(
        "SELECT topic_id, partition, next_offset, last_offset, last_timestamp_ms, last_sha256"
        " FROM positions WHERE consumer = %s AND topic_id = ANY(%s)",
        (consumer, list(topic_ids.values())),
    )
    names = {topic_id: topic for topic, topic_id in topic_ids.items()}
    wanted = set(partitions)
    stored = {}
    for topic_id, partition, next_offset, *last in cur:
        if (names[topic_id], partition) in wanted:
            # A process of an older release moves the position and leaves the message as it was.
            known = LastMessage(*last) if last[0] == next_offset - 1 else None
            stored[names[topic_id], partition] = StoredPosition(next_offset=next_offset, last=known)
    return stored


def read_earlier(cur: cursor, consumer: str, topic_id: str, partition: int) -> list[LastMessage]:
    """Return the last messages of earlier positions in a partition, the newest first."""
    cur.execute(
        "SELECT last_offset, last_timestamp_ms, last_sha256 FROM earlier_positions"
        " WHERE consumer = %s AND topic_id = %s AND partition = %s ORDER BY last_offset DESC",
        (consumer, topic_id, partition),
    )
    return [LastMessage(*row) for row in cur]


def write_positions(
    cur: cursor,
    consumer: str,
    last_messages: Mapping[Partition, LastMessage],
    topic_ids: Mapping[str, str],
) -> None:
    """Move a consumer's positions forward, behind these messages.

    One that another process has moved further stays there.
    """
    rows = sorted(
        (consumer, topic_ids[topic], partition, last.offset, last.timestamp_ms, last.sha256, topic)
        for (topic, partition), last in last_messages.items()
    )
    execute_values(
        cur,
        "INSERT INTO positions AS p (consumer, topic_id, partition, last_offset,"
        " last_timestamp_ms, last_sha256, topic, next_offset) VALUES %s"
        " ON CONFLICT (consumer, topic_id, partition) DO UPDATE SET"
        " next_offset = excluded.next_offset, last_offset = excluded.last_offset,"
        " last_timestamp_ms = excluded.last_timestamp_ms, last_sha256 = excluded.last_sha256,"
        " updated_at = now() WHERE p.next_offset < excluded.next_offset",
        [(*row, row[3] + 1) for row in rows],
    )
    due = execute_values(
        cur,
        "INSERT INTO earlier_positions (consumer, topic_id, partition, last_offset,"
        " last_timestamp_ms, last_sha256) SELECT consumer, topic_id, partition, last_offset,"
        " last_timestamp_ms, last_sha256 FROM (VALUES %s) AS v (consumer, topic_id, partition,"
        " last_offset, last_timestamp_ms, last_sha256, none_after) WHERE NOT EXISTS (SELECT FROM"
        " earlier_positions AS e WHERE e.consumer = v.consumer AND e.topic_id = v.topic_id"
        " AND e.partition = v.partition AND e.last_offset > v.none_after)"
        " ON CONFLICT DO NOTHING RETURNING topic_id, partition",
        [(*row[:6], row[3] - EARLIER_EVERY) for row in rows],
        fetch=True,
    )
    for topic_id, partition in due:
        offsets = [last.offset for last in read_earlier(cur, consumer, topic_id, partition)]
        cur.execute(
            "DELETE FROM earlier_positions WHERE consumer = %s AND topic_id = %s"
            " AND partition = %s AND last_offset = ANY(%s)",
            (consumer, topic_id, partition, superfluous(offsets)),
        )


def superfluous(offsets: Iterable[int]) -> list[int]:
    """Return which earlier positions need not be kept.

    Of those that are between one and two, two and four, four and eight times `EARLIER_EVERY` (and
    so on) behind the newest the oldest is kept: some twenty for a thousand million messages.
    """
    ordered = sorted(offsets)
    kept: dict[int, int] = {}
    for offset in ordered:
        kept.setdefault(((ordered[-1] - offset) // EARLIER_EVERY).bit_length(), offset)
    return [offset for offset in ordered if offset not in kept.values()]


def go_back(
    cur: cursor,
    consumer: str,
    topic_id: str,
    partition: int,
    *,
    disproved: int,
    to: LastMessage | None,
) -> None:
    """Set a position back behind an earlier message, or forget it, with what is later.

    Nothing is changed where another process has moved the position `disproved` meanwhile.
    """
    at = (consumer, topic_id, partition)
    cur.execute(
        "DELETE FROM positions WHERE consumer = %s AND topic_id = %s AND partition = %s"
        " AND next_offset = %s RETURNING topic",
        (*at, disproved),
    )
    for (topic,) in cur.fetchall():
        cur.execute(
            "DELETE FROM earlier_positions WHERE consumer = %s AND topic_id = %s"
            " AND partition = %s AND last_offset > %s",
            (*at, -1 if to is None else to.offset),
        )
        if to is not None:
            write_positions(cur, consumer, {(topic, partition): to}, {topic: topic_id})
