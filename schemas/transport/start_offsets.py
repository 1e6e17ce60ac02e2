"""Where a consumer that stores in PostgreSQL begins to read, if Kafka still has the same log.

That is behind what is stored. Where the log is another, messages may stand before the stored
position that were never stored. The consumer goes back to the newest earlier position that is
proved, or to the beginning of the partition, and reads again what it finds.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import OFFSET_BEGINNING
from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.failures import Failure
from schemas.transport.log_proof import Finding, LastMessage, LogReader
from schemas.transport.messages import Partition
from schemas.transport.positions import StoredPosition, go_back, read_earlier, read_positions
from schemas.transport.postgres import Connection

logger = logging.getLogger(__name__)

_AT_MOST_SHOWN: Final = 10


class LogWentBack(Failure):
    """While a consumer was running Kafka lost a log's end: a new process finds where to begin."""


class StartOffsets(Struct, frozen=True):
    """Where to begin in each partition, and which of those positions were set back."""

    offsets: dict[Partition, int]
    set_back: frozenset[Partition]


def start_offsets(
    connection: Connection,
    consumer: str,
    log: LogReader,
    topic_ids: Mapping[str, str],
    partitions: Iterable[Partition],
) -> StartOffsets:
    """Return where to begin, and store positions that go back; raise `KafkaUnavailable`.

    A partition without a position is read from its beginning.
    """
    wanted = list(partitions)
    with connection, connection.cursor() as cur:
        stored = read_positions(cur, consumer, topic_ids, wanted)
    lost = disproved(log, stored)
    found = dict.fromkeys(wanted, OFFSET_BEGINNING)
    found |= {name: position.next_offset for name, position in stored.items()}
    for name in sorted(lost):
        topic_id, number = topic_ids[name[0]], name[1]
        with connection, connection.cursor() as cur:
            to = _newest_proved(cur, consumer, log, name, topic_id)
            at = stored[name].next_offset
            go_back(cur, consumer, topic_id, number, disproved=at, to=to)
        found[name] = log.extent(name).low if to is None else to.offset + 1
        logger.error(
            "Kafka has lost the end of %s, partition %d: what was stored up to offset %d is not"
            " what it holds; reading again from offset %d",
            *name,
            stored[name].next_offset,
            found[name],
            extra={"topic": name[0], "partition": number, "offset": found[name]},
        )
    return StartOffsets(found, lost)


def disproved(log: LogReader, stored: Mapping[Partition, StoredPosition]) -> frozenset[Partition]:
    """Return the partitions whose log is not the one that a position was stored of."""
    known = {name: position.last for name, position in stored.items() if position.last is not None}
    findings = log.findings(known)
    lost = {name for name, finding in findings.items() if finding is Finding.ANOTHER_LOG}
    # Of a row that an older release wrote only this can be told.
    unknown = [name for name in stored if name not in known]
    lost |= {name for name in unknown if stored[name].next_offset > log.extent(name).high}
    return frozenset(lost)


def require_same_logs(
    connection: Connection,
    consumer: str,
    log: LogReader,
    topic_ids: Mapping[str, str],
    partitions: Iterable[Partition],
) -> None:
    """Raise `LogWentBack` unless every stored position is still one of Kafka's logs."""
    with connection, connection.cursor() as cur:
        stored = read_positions(cur, consumer, topic_ids, partitions)
    lost = sorted(disproved(log, stored))
    if lost:
        named = ", ".join(f"{topic} {number}" for topic, number in lost[:_AT_MOST_SHOWN])
        raise LogWentBack(f"Kafka has lost the end of {len(lost)} partitions: {named}")


def _newest_proved(
    cur: cursor, consumer: str, log: LogReader, partition: Partition, topic_id: str
) -> LastMessage | None:
    for last in read_earlier(cur, consumer, topic_id, partition[1]):
        finding = log.findings({partition: last})[partition]
        if finding is Finding.SAME_LOG:
            return last
        if finding is Finding.EXPIRED:
            return None
    return None
