"""Faust's consumer, as scoring needs it: committed messages only, and commits that are meant.

Faust reads uncommitted and has no setting for it. Its commits name a topic, not which: where one
was made anew, an offset of the old one would pass over messages of the new one. aiokafka even
repeats a commit to a topic that is missing until there is one of that name. And where offsets
that no message has follow the first message of a partition, it takes them for messages that are
not done, and never commits again. Below an offset that the group once committed it reads nothing,
also where the log ends before that. What it fetches during a rebalance it throws away, and goes
back to the offset that was committed: where none was, the messages are lost.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import faust
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import ensure_TP
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
    ensure_aiokafka_TP,
)
from faust.types import TP
from faust.types.transports import TransportT

logger = logging.getLogger(__name__)

_ASK_AGAIN_S: Final = 0.5


class _ConsumerThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # It is not connected yet, and takes this for what it was called with.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        commit = consumer.commit
        topic_id = cast("ScoringApp", self.app).topic_id

        async def commit_naming_the_topic(offsets: Mapping[TP, OffsetAndMetadata]) -> None:
            await commit(
                {tp: OffsetAndMetadata(at.offset, topic_id(tp.topic)) for tp, at in offsets.items()}
            )

        consumer.commit = commit_naming_the_topic
        return consumer

    async def committed_in(self, partitions: Iterable[TP]) -> dict[TP, str]:
        """Return the id of the topic that each offset was committed in; "" where it names none."""
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        committed = await self.call_thread(
            coordinator.fetch_committed_offsets, [ensure_aiokafka_TP(tp) for tp in partitions]
        )
        return {ensure_TP(tp): at.metadata for tp, at in committed.items()}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        may_commit = cast("ScoringApp", self.app).may_commit
        while (may := await self.loop.run_in_executor(None, may_commit)) is None:
            if self.should_stop:
                return False
            await self.sleep(_ASK_AGAIN_S)
        return may and await super()._commit(offsets)


class CommittedMessages(Consumer):
    """Reads what was committed; commits behind the last message that was acknowledged.

    Messages have to be acknowledged in their order: it takes all before one for done. Nothing is
    committed where the application's `may_commit` says no; while it says None, because nobody
    answers or a topic is missing, the commit waits. An offset is committed with the id of its
    topic, and counts only in that topic; one without an id counts.
    """

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Begin where the group stands; from the beginning where it stands in no part of this log.

        This is called at each assignment, and whenever what was fetched is thrown away.
        """
        await super().perform_seek()
        assigned = set(self.assignment())
        if not assigned:
            return
        begun = {tp for tp in assigned if self._read_offset[tp]}
        anew = assigned - begun
        if begun:
            topic_id = cast("ScoringApp", self.app).topic_id
            committed_in = await cast("_ConsumerThread", self._thread).committed_in(begun)
            for tp, end in (await self.highwaters(*begun)).items():
                if (self._read_offset[tp] or 0) > end:
                    logger.error("%s ends before what was scored of it: it is read anew", tp)
                elif committed_in.get(tp, "") not in ("", topic_id(tp.topic)):
                    logger.error("%s was scored in another topic of this name: it is read anew", tp)
                else:
                    continue
                anew.add(tp)
        begins = await self.earliest_offsets(*anew) if anew else {}
        for tp in anew:
            await self.seek(tp, begins[tp])
            self._read_offset[tp] = self._committed_offset[tp] = None

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        offset = max(acked) + 1
        acked.clear()
        self._acked_index[tp].clear()
        return offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Forget that no message has these offsets: `_new_offset` needs not know."""


class _Transport(Transport):
    Consumer = CommittedMessages


class ScoringApp(faust.App):
    """A Faust application that reads by `CommittedMessages`."""

    may_commit: Callable[[], bool | None]
    topic_id: Callable[[str], str]

    def _new_transport(self) -> TransportT:
        """Return the transport of `CommittedMessages`."""
        return _Transport(self.conf.broker_consumer, self)
