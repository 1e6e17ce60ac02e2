"""Planned files to Kafka, one after the other: read, parse, publish, confirm, remember."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Final

from producers.formats.archive_format import parse_record
from producers.publishing.destination import Destination
from producers.publishing.outgoing import SourceRecord, outgoing
from producers.replay.ack_tracker import AckTracker
from producers.replay.lag_bound import LagBound
from producers.replay.log_ends import LogEnds
from producers.replay.plan import Action, PlannedFile
from producers.replay.playback_clock import PlaybackClock
from producers.replay.positions import ReplayPositions
from producers.replay.rate_limit import RateLimit
from producers.replay.record_reader import Placed, RecordReader
from producers.replay.report import FileReport, ReplayOutcome, ReplayReport
from producers.replay.telemetry import Status, Watcher
from producers.replay.throttle import Throttle
from producers.replay.time_range import Times
from producers.rules.tag_with_rules import RuleMatcher
from schemas.failures import Failure
from schemas.transport.publisher import ConfirmingPublisher

logger = logging.getLogger(__name__)

_TELL_EVERY_S: Final = 0.25
_REMEMBER_EVERY_S: Final = 2.0
_REMEMBER_AT_LEAST_EVERY_S: Final = 10.0
_CALM_S: Final = 0.25
_LAST_WAIT_S: Final = 1.5
"""How long an interrupted replay waits for confirmations before it remembers where it was."""


@dataclass(frozen=True)
class ReplayContext:
    """What the files of one replay share. `stopped` is asked between two messages."""

    publisher: ConfirmingPublisher
    to: Destination
    positions: ReplayPositions
    log_ends: Callable[[], LogEnds]
    run_started_at: datetime
    times: Times
    matcher: RuleMatcher | None
    pace: RateLimit
    tempo: PlaybackClock
    bound: LagBound
    stopped: Callable[[], bool]
    watchers: Sequence[Watcher]
    clock: Callable[[], float]
    now: Callable[[], datetime]


def replay_files(
    planned: Sequence[PlannedFile], context: ReplayContext, limit: int | None
) -> ReplayReport:
    """Publish the files as planned, at most `limit` events, and report what became of them.

    Raises what `FileReplay.publish` raises.
    """
    beginning = {
        (plan.file.key, plan.file.name): plan.start
        for plan in planned
        if plan.action is Action.BEGIN and plan.file.stream is None
    }
    context.positions.write(beginning, context.log_ends())
    report = ReplayReport(context.to.run)
    for plan in planned:
        if plan.action not in {Action.BEGIN, Action.RESUME}:
            report.files.append(FileReport(plan))
            continue
        if limit is not None and report.events >= limit:
            report.ending = ReplayOutcome.LIMIT
            break
        left = None if limit is None else limit - report.events
        if plan.file.stream is not None:
            file_report = FileReplay(plan, None, context, left).publish()
        else:
            with plan.file.path.open("rb") as file:
                file_report = FileReplay(plan, file, context, left).publish()
        report.files.append(file_report)
        file_report.findings.ids.forget()
        if not file_report.finished and context.stopped():
            report.ending = ReplayOutcome.INTERRUPTED
            break
        if not file_report.finished and file_report.damage is None:
            report.ending = ReplayOutcome.LIMIT
            break
    return report


class FileReplay:
    """Publishes one file, at most `limit` events of it and the rest of a page, from its plan on.

    Whatever ends it, the position that it remembers is one below which every event and dead
    letter is with the brokers.
    """

    def __init__(
        self, plan: PlannedFile, file: BinaryIO | None, context: ReplayContext, limit: int | None
    ) -> None:
        self._plan = plan
        self._file = file
        self._reading = RecordReader(
            plan.file, file, run=context.to.run, run_started_at=context.run_started_at
        )
        self._around = context
        self._limit = limit
        self._publisher = context.publisher
        self._report = FileReport(plan)
        self._confirmations = AckTracker(plan.start)
        self._gate = Throttle(
            publisher=self._publisher,
            pace=context.pace,
            tempo=context.tempo,
            bound=context.bound,
            stopped=context.stopped,
            clock=context.clock,
            on_wait=self._tick,
        )
        self._told_at_s = self._remembered_at_s = context.clock()

    def publish(self) -> FileReport:
        """Publish and report.

        Raises `DeliveryFailed` where the brokers do not confirm, and `Failure` where the last
        position cannot be stored.
        """
        report, context, reading = self._report, self._around, self._reading
        began_at_s = context.clock()
        at_end = False
        try:
            for placed in reading.records(self._plan.start):
                report.lines = reading.lines
                if context.stopped() or self._limit_is_reached():
                    break
                if placed is not None and not self._publish_record(placed):
                    break
                self._tick()
            else:
                report.lines = reading.lines
                report.formats = reading.formats
                report.unknown = reading.unknown
                report.damage = reading.damage
                at_end = not (context.stopped() and self._plan.file.stream is not None)
            self._wait_for_confirmations()
            confirmed = self._publisher.outstanding == 0
            report.finished = at_end and confirmed and report.damage is None
        finally:
            self._remember()
            report.seconds = context.clock() - began_at_s
            self._tell()
        return report

    def _publish_record(self, placed: Placed) -> bool:
        """Publish what a record holds and count it; False where the replay was stopped meanwhile.

        All messages of a record confirm it as one: a record that was published in part stays
        below the position that is remembered. Raises `DeliveryFailed`.
        """
        context, report, record = self._around, self._report, placed.record
        received_at = context.now()
        parsed = parse_record(placed.reader, record, placed.origin, received_at)
        if context.matcher is not None:
            parsed = context.matcher.tag(parsed)
        if not context.times.leave_all_as_it_is:
            parsed = context.times.applied(parsed, received_at)
        if parsed.skipped:
            report.skipped.update(parsed.skipped)
        report.findings.add(placed, parsed)
        source = f"file:{placed.origin.content}"
        messages = outgoing(
            SourceRecord(record.raw, source, record.line, record.place, name=placed.file_name),
            parsed,
            context.to,
        )
        pending = self._confirmations.open(
            len(messages.events), len(messages.dead_letters), placed.member
        )
        for event in messages.events:
            if not self._gate.wait_for_turn(event.event):
                return False
            self._publisher.publish(
                context.to.raw_topic,
                key=event.key,
                value=event.value,
                headers=event.headers,
                on_delivered=pending.confirm,
            )
            report.events[type(event.event).__name__] += 1
        for letter in messages.dead_letters:
            if not self._gate.wait_for_room():
                return False
            self._publisher.publish(
                context.to.dead_letter_topic,
                key=None,
                value=letter.value,
                headers=letter.headers,
                on_delivered=pending.confirm,
            )
            report.dead_letters[letter.reason] += 1
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
        if self._shall_remember(now_s - self._remembered_at_s):
            self._remembered_at_s = now_s
            try:
                self._remember()
            except Failure as failure:
                logger.warning("the position could not be stored, it is tried again: %s", failure)

    def _shall_remember(self, since_s: float) -> bool:
        """Storing may take a disk's time, for which no tweet that is due soon shall wait."""
        calm = not self._around.tempo.keeps_time or self._gate.due_in_s >= _CALM_S
        return since_s >= (_REMEMBER_EVERY_S if calm else _REMEMBER_AT_LEAST_EVERY_S)

    def _remember(self) -> None:
        if self._plan.file.stream is not None:
            return
        position = replace(self._confirmations.position(), finished=self._report.finished)
        file = self._plan.file
        self._around.positions.write({(file.key, file.name): position}, self._around.log_ends())

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
