"""Where every scoring process sees the hold: a compacted topic of one partition.

A process that starts reads it from its beginning, and follows it while it runs. It has the hold,
and what was counted of each partition; a release is the hold's deletion.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from schemas.setting_views import Cluster
from schemas.topics import SCORE_HOLD
from schemas.transport.compacted_topic import CompactedTopic
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.dead_letter_ratio import Chunk

logger = logging.getLogger(__name__)

_HOLD_KEY: Final = b"hold"
_TALLY_KEY: Final = b"tally-"


class Hold(Struct, frozen=True, kw_only=True):
    """Scoring is held: so many of the last messages became dead letters."""

    since: datetime
    letters: int
    messages: int

    def sentence(self) -> str:
        """Return why, for probes and people."""
        return (
            f"held since {self.since:%Y-%m-%d %H:%M:%S} UTC: {self.letters:,} of the last "
            f"{self.messages:,} messages became dead letters"
        )


class Tally(Struct, frozen=True, kw_only=True):
    """What one process counted of a partition; `writer` tells its own records from others'."""

    writer: str
    partition: int
    chunks: list[Chunk]


_hold_decoder = msgspec.json.Decoder(Hold)
_tally_decoder = msgspec.json.Decoder(Tally)


class BreakerTopic:
    """Reads and writes the topic. Reading belongs to one thread, writing to the publisher's.

    `counted` gets what other processes counted; `changed` the hold, or None at its end.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        changed: Callable[[Hold | None], None] = lambda _: None,
        counted: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        self.hold: Hold | None = None
        self._topic = cluster.names.topic(SCORE_HOLD)
        self._changed = changed
        self._counted = counted
        self._writer = secrets.token_hex(8)
        self._reader = CompactedTopic(
            cluster.kafka, self._topic, client_id="murmur-hold", take=self._take
        )

    def load(self, timeout_s: float = 30.0) -> Hold | None:
        """Read everything there is and return the hold.

        Raises `KafkaUnavailable`, and `Failure` where the topic is missing.
        """
        self._reader.load(timeout_s)
        return self.hold

    def follow_until(self, finished: threading.Event) -> None:
        """Follow until told to stop."""
        self._reader.follow_until(finished)

    def publish_hold(self, publisher: ConfirmingPublisher, hold: Hold) -> None:
        """Hold every process; `publisher.confirm` says when it is safe."""
        publisher.publish(self._topic, key=_HOLD_KEY, value=msgspec.json.encode(hold), headers=[])

    def publish_release(self, publisher: ConfirmingPublisher) -> None:
        """End the hold; `publisher.confirm` says when it is safe."""
        publisher.publish(self._topic, key=_HOLD_KEY, value=None, headers=[])

    def publish_tally(
        self, publisher: ConfirmingPublisher, partition: int, chunks: list[Chunk]
    ) -> None:
        """Tell others what was counted of a partition."""
        tally = Tally(writer=self._writer, partition=partition, chunks=chunks)
        publisher.publish(
            self._topic,
            key=_TALLY_KEY + b"%d" % partition,
            value=msgspec.json.encode(tally),
            headers=[],
        )

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        try:
            if key == _HOLD_KEY:
                self.hold = None if value is None else _hold_decoder.decode(value)
                self._changed(self.hold)
            elif key is not None and key.startswith(_TALLY_KEY) and value is not None:
                tally = _tally_decoder.decode(value)
                if tally.writer != self._writer:
                    self._counted(tally)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning(
                "ignored a record in the hold's topic that Murmur did not write: %s",
                type(error).__name__,
            )
