"""A message as it was read from Kafka, by whichever client, with nothing of it interpreted."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol, TypeAlias, cast

import confluent_kafka
from msgspec import Struct

from schemas.codec import Headers

Partition: TypeAlias = tuple[str, int]
"""Topic and partition."""

LAST_TIMESTAMP_MS: Final = 253_402_300_799_000
"""The end of the year 9999: whoever publishes chooses a message's timestamp."""


class ConsumedMessage(Struct, frozen=True):
    """A message and where it stood; `timestamp_ms` is between 1970 and the year 9999.

    Headers are pairs in their order; those without a value are left out.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class FaustMessage(Protocol):
    """What Faust calls a message; its timestamp is in seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    headers: list[tuple[str, bytes]] | Mapping[str, bytes] | None
    key: bytes | None
    value: bytes | None


def from_confluent(message: confluent_kafka.Message) -> ConsumedMessage:
    """Return a message that confluent-kafka has consumed, which is no error."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise ValueError("a consumed message has a topic, a partition and an offset")
    try:
        headers = message.headers()
    except SystemError:  # what confluent-kafka makes of a name that it cannot decode
        headers = None
    return ConsumedMessage(
        topic,
        partition,
        offset,
        min(max(0, message.timestamp()[1]), LAST_TIMESTAMP_MS),
        message.key(),
        message.value(),
        _with_values(headers) if headers else [],
    )


def from_faust(message: FaustMessage) -> ConsumedMessage:
    """Return a message that Faust has consumed."""
    headers = message.headers
    return ConsumedMessage(
        message.topic,
        message.partition,
        message.offset,
        min(max(0, int(message.timestamp * 1000)), LAST_TIMESTAMP_MS),
        message.key,
        message.value,
        _with_values(headers.items() if isinstance(headers, Mapping) else headers)
        if headers
        else [],
    )


def _with_values(pairs: object) -> Headers:
    # Kafka lets a header have no value; neither client's types say so.
    found = cast("Iterable[tuple[str, bytes | None]]", pairs)
    return [(name, value) for name, value in found if value is not None]
