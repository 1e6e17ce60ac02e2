"""One archive to Kafka: read, parse, publish, confirm, remember."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Final

from producers.formats.archive_format import parse_record
from producers.replaying.confirmations import Confirmations
from producers.replaying.gate import Gate
from producers.replaying.lag_bound import LagBound
from producers.replaying.pace import Pace
from producers.replaying.plan import PlannedFile
from producers.replaying.positions import ReplayPositions
from producers.replaying.publishing import Destination, publish_record
from producers.replaying.reading import Placed, Reading
from producers.replaying.report import FileReport
from producers.replaying.status import Status, Watcher
from producers.replaying.tempo import Tempo
from producers.replaying.times import Times
from producers.rules.matching import RuleMatcher
from schemas.failures import Failure

logger = logging.getLogger(__name__)

_TELL_EVERY_S: Final = 0.25
_REMEMBER_EVERY_S: Final = 2.0
_REMEMBER_AT_LEAST_EVERY_S: Final = 10.0
_CALM_S: Final = 0.25
_LAST_WAIT_S: Final = 1.5
"""How long an interrupted replay waits for confirmations before it remembers where it was."""


@dataclass(frozen=True)
class Surroundings:
    """What the files of one replay share. `stopped` is asked between two messages."""

    to: Destination
    positions: ReplayPositions
    run_started_at: datetime
    times: Times
    matcher: RuleMatcher | None
    pace: Pace
    tempo: Tempo
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
        self, plan: PlannedFile, file: BinaryIO | None, around: Surroundings, limit: int | None
    ) -> None:
        self._plan = plan
        self._file = file
        self._reading = Reading(
            plan.file, file, run=around.to.run, run_started_at=around.run_started_at
        )
        self._around = around
        self._limit = limit
        self._publisher = around.to.publisher
        self._report = FileReport(plan)
        self._confirmations = Confirmations(plan.start)
        self._gate = Gate(
            publisher=self._publisher, pace=around.pace, tempo=around.tempo, bound=around.bound,
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
        report, around, reading = self._report, self._around, self._reading
        for placed in reading.records(self._plan.start):
            report.lines = reading.lines
            if around.stopped() or self._limit_is_reached():
                return False
            if placed is not None and not self._publish_record(placed):
                return False
            self._tick()
        report.lines = reading.lines
        report.formats = reading.formats
        report.damage = reading.damage
        return not (around.stopped() and self._plan.file.stream is not None)

    def _publish_record(self, placed: Placed) -> bool:
        around = self._around
        received_at = around.now()
        parsed = parse_record(placed.reader, placed.record, placed.origin, received_at)
        if around.matcher is not None:
            parsed = around.matcher.tag(parsed, placed.record.raw)
        return publish_record(
            placed, around.times.applied(parsed, received_at), to=around.to, gate=self._gate,
            confirmations=self._confirmations, report=self._report,
        )  # fmt: skip

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
        if self._shall_remember(now_s - self._remembered_at_s):
            self._remembered_at_s = now_s
            try:
                self._remember()
            except Failure as failure:
                logger.warning("the position is not stored now: %s", failure)

    def _shall_remember(self, since_s: float) -> bool:
        """Storing may take a disk's time, for which no tweet that is due soon shall wait."""
        calm = not self._around.tempo.keeps_time or self._gate.due_in_s >= _CALM_S
        return since_s >= (_REMEMBER_EVERY_S if calm else _REMEMBER_AT_LEAST_EVERY_S)

    def _remember(self) -> None:
        if self._plan.file.stream is not None:
            return
        position = replace(self._confirmations.position(), finished=self._report.finished)
        file = self._plan.file
        self._around.positions.write({(file.key, file.name): position})

    def _tell(self) -> None:
        status = Status(
            file=self._plan.file,
            report=self._report,
            bytes_read=0 if self._file is None else self._file.tell(),
            unconfirmed=self._publisher.outstanding,
            lag=self._around.bound.lag,
            waiting_for=self._gate.waiting_for,
            due_in_s=self._gate.due_in_s,
        )
        for watcher in self._around.watchers:
            watcher(status)
