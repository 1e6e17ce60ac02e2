"""One archive to Kafka: read, parse, publish, confirm, remember."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Final

from producers.archives.compression import decompressed
from producers.archives.lines import LineReader
from producers.border.origin import Origin
from producers.formats.archive_format import parse_record
from producers.replaying.confirmations import Confirmations
from producers.replaying.gate import Gate
from producers.replaying.lag_bound import LagBound
from producers.replaying.pace import Pace
from producers.replaying.plan import PlannedFile
from producers.replaying.positions import ReplayPositions
from producers.replaying.publishing import Destination, publish_record
from producers.replaying.report import FileReport
from producers.replaying.status import Status, Watcher
from producers.rules.matching import RuleMatcher
from schemas.failures import Failure

logger = logging.getLogger(__name__)

_TELL_EVERY_S: Final = 0.25
_REMEMBER_EVERY_S: Final = 2.0
_LAST_WAIT_S: Final = 1.5
"""How long an interrupted replay waits for confirmations before it remembers where it was."""


@dataclass(frozen=True)
class Surroundings:
    """What the files of one replay share. `stopped` is asked between two messages."""

    to: Destination
    positions: ReplayPositions
    run_started_at: datetime
    matcher: RuleMatcher | None
    pace: Pace
    bound: LagBound
    stopped: Callable[[], bool]
    watchers: Sequence[Watcher]
    clock: Callable[[], float]
    now: Callable[[], datetime]


class FileReplay:
    """Publishes one file, at most `limit` events of it and the rest of a page, from its plan on.

    Whatever ends it, the position that it remembers is one below which every event and dead
    letter is with the brokers.
    """

    def __init__(
        self, plan: PlannedFile, file: BinaryIO, around: Surroundings, limit: int | None
    ) -> None:
        self._plan = plan
        self._file = file
        self._around = around
        self._limit = limit
        self._publisher = around.to.publisher
        self._report = FileReport(plan)
        self._confirmations = Confirmations(plan.start)
        self._gate = Gate(
            publisher=self._publisher, pace=around.pace, bound=around.bound,
            stopped=around.stopped, clock=around.clock, on_wait=self._tick,
        )  # fmt: skip
        self._told_at_s = self._remembered_at_s = around.clock()

    def publish(self) -> FileReport:
        """Publish and report.

        Raises `DeliveryFailed` where the brokers do not confirm, and `Failure` where the last
        position cannot be stored.
        """
        report = self._report
        began_at_s = self._around.clock()
        try:
            at_end = self._publish_records()
            self._wait_for_confirmations()
            confirmed = self._publisher.outstanding == 0
            report.finished = at_end and confirmed and report.damage is None
        finally:
            self._remember()
            report.seconds = self._around.clock() - began_at_s
            self._tell()
        return report

    def _publish_records(self) -> bool:
        """Publish the records that are not yet done; tell whether the file's end was reached."""
        file, report, around = self._plan.file, self._report, self._around
        lines = LineReader(decompressed(self._file))
        origin = Origin(
            run=around.to.run,
            run_started_at=around.run_started_at,
            source=f"archive:{file.format.name}",
            content=file.sha256,
        )
        for number, record in enumerate(file.reader.records(iter(lines))):
            report.lines = lines.lines
            if around.stopped() or self._limit_is_reached():
                return False
            if number >= self._plan.start.records_done:
                parsed = parse_record(file.reader, record, origin, around.now())
                if around.matcher is not None:
                    parsed = around.matcher.tag(parsed, record.raw)
                if not publish_record(
                    record, parsed, file=file, to=around.to, gate=self._gate,
                    confirmations=self._confirmations, report=report,
                ):  # fmt: skip
                    return False
            self._tick()
        report.lines = lines.lines
        report.damage = lines.damage
        return True

    def _limit_is_reached(self) -> bool:
        return self._limit is not None and self._report.events.total() >= self._limit

    def _wait_for_confirmations(self) -> None:
        give_up_at_s = None
        while self._publisher.outstanding:
            if self._around.stopped():
                now_s = self._around.clock()
                give_up_at_s = give_up_at_s or now_s + _LAST_WAIT_S
                if now_s >= give_up_at_s:
                    return
            self._publisher.serve(0.05)
            self._tick()

    def _tick(self) -> None:
        now_s = self._around.clock()
        if now_s - self._told_at_s < _TELL_EVERY_S:
            return
        self._told_at_s = now_s
        self._publisher.serve()
        self._tell()
        if now_s - self._remembered_at_s >= _REMEMBER_EVERY_S:
            self._remembered_at_s = now_s
            try:
                self._remember()
            except Failure as failure:
                logger.warning("the position is not stored now: %s", failure)

    def _remember(self) -> None:
        position = replace(self._confirmations.position(), finished=self._report.finished)
        self._around.positions.write({self._plan.file.row: position})

    def _tell(self) -> None:
        status = Status(
            file=self._plan.file,
            report=self._report,
            bytes_read=self._file.tell(),
            unconfirmed=self._publisher.outstanding,
            lag=self._around.bound.lag,
            waiting_for=self._gate.waiting_for,
        )
        for watcher in self._around.watchers:
            watcher(status)
