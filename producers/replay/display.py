"""What people see of a replay: a bar for each file while it runs, a table at the end."""

from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from producers.replay.findings import sentences_on
from producers.replay.inspect_files import passed_over_by_kind
from producers.replay.plan import Action, ArchiveFile, PlannedFile
from producers.replay.report import FileReport, ReplayOutcome, ReplayReport
from producers.replay.telemetry import Status
from schemas.terminal import plain_table

_PUBLISHED: Final = (Action.BEGIN, Action.RESUME)
_MOST_FILES: Final = 20
"""How many files are named one by one; those that something is wrong with come first."""

_MOST_SENTENCES: Final = 40


class ProgressDisplay:
    """One bar for all files: bytes of their sizes as they are stored, events, events a second."""

    def __init__(
        self, progress: Progress, planned: Sequence[PlannedFile], clock: Callable[[], float]
    ) -> None:
        sizes = [plan.file.size_bytes for plan in planned if plan.action in _PUBLISHED]
        self._progress = progress
        self._clock = clock
        self._began_at_s = clock()
        self._task = progress.add_task("", total=sum(sizes) or None, counts="", waiting="")
        self._shown: ArchiveFile | None = None
        self._bytes_before = self._events_before = self._dead_before = 0
        self._latest: FileReport | None = None

    def __call__(self, status: Status) -> None:
        """Show a status."""
        if self._shown is not status.file:
            self._leave_file()
            self._shown = status.file
        self._latest = status.report
        events = self._events_before + status.report.events.total()
        dead = self._dead_before + status.report.dead_letters.total()
        seconds = max(self._clock() - self._began_at_s, 0.001)
        self._progress.update(
            self._task,
            description=escape(status.file.name),
            completed=self._bytes_before + status.bytes_read,
            counts=_counts(events, dead, events / seconds),
            waiting=_waiting(status),
        )

    def _leave_file(self) -> None:
        if self._shown is not None and self._latest is not None:
            self._bytes_before += self._shown.size_bytes
            self._events_before += self._latest.events.total()
            self._dead_before += self._latest.dead_letters.total()


def progress_bars(console: Console) -> Progress:
    """Return the bars, shown only where the console is a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[waiting]}"),
        console=console,
        disable=not console.is_terminal,
    )


def report_table(report: ReplayReport) -> Table:
    """Return what became of each file, a row each."""
    remarks = any(map(_remark, report.files))
    numbers = ("lines", "events", "dead letters", "skipped", "seconds")
    table = plain_table(
        "file",
        *numbers,
        *(["remark"] if remarks else []),
        numbers=numbers,
        title=f"run {report.run}: {report.outcome.value}",
    )
    shown = sorted(report.files, key=_has_nothing_to_say)[:_MOST_FILES]
    for file in report.files if len(report.files) <= _MOST_FILES else shown:
        remark = [escape(_remark(file))] * remarks
        table.add_row(escape(file.planned.file.name), *_totals([file]), *remark)
    if len(report.files) > _MOST_FILES:
        table.add_row(f"{len(report.files) - _MOST_FILES:,} others")
    if len(report.files) > 1:
        table.add_row(f"all {len(report.files):,}", *_totals(report.files))
    return table


def what_next(report: ReplayReport) -> list[str]:
    """Return the sentences that a person should read after a replay."""
    sentences = []
    if report.dead_letters:
        reasons: dict[str, int] = {}
        for file in report.files:
            for reason, count in file.dead_letters.items():
                reasons[reason] = reasons.get(reason, 0) + count
        listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
        sentences.append(
            f"{report.dead_letters:,} could not be parsed ({listed}): "
            f"`murmur dead-letters list --run {report.run}` shows each with its file, line and "
            "reason"
        )
    sentences += [
        f"{file.planned.file.shown} could not be read to its end and stays unfinished: "
        f"{file.damage}"
        for file in report.damaged[:_MOST_FILES]
    ]
    if report.passed_over:
        kinds = passed_over_by_kind(report.passed_over)
        others = f" (and others, for {len(kinds) - 1:,} more reasons: --dry-run names them)"
        sentences.append(f"passed over: {kinds[0]}{others if len(kinds) > 1 else ''}")
    sentences += [
        f"{file.planned.file.shown}: {file.nothing_usable}"
        for file in report.useless[:_MOST_FILES]
        if not file.dead_letters
    ]
    sentences += sentences_on((file.planned.file.shown, file.findings) for file in report.files)[
        :_MOST_SENTENCES
    ]
    if report.time_shift:
        sentences.append(
            f"All times are moved by {report.time_shift}, as in every replay of this run."
        )
    if report.out_of_order:
        sentences.append(
            f"{report.out_of_order:,} tweets are older than one before them in the file and were "
            "published at once: --speed keeps the order of the files"
        )
    if report.outcome in {ReplayOutcome.LIMIT, ReplayOutcome.INTERRUPTED}:
        sentences.append("Run the same command again to continue where this one ended.")
    if report.events:
        sentences.append(
            "All events are in Kafka; scoring continues: `murmur status` shows how much is left, "
            f"`murmur totals --run {report.run}` shows the figures"
        )
    return sentences


def _remark(file: FileReport) -> str:
    """Return what was not done with a file as with others; damage has a sentence of its own."""
    if file.planned.action is Action.RESUME:
        return f"resumed at record {file.planned.start.records_done + 1:,}"
    return "" if file.planned.action is Action.BEGIN else file.planned.action.value


def _has_nothing_to_say(file: FileReport) -> bool:
    return file.damage is None and not file.dead_letters


def _totals(files: Sequence[FileReport]) -> list[str]:
    counts = (
        sum(file.lines for file in files),
        sum(file.events.total() for file in files),
        sum(file.dead_letters.total() for file in files),
        sum(file.skipped.total() for file in files),
    )
    return [*[f"{count:,}" for count in counts], f"{sum(file.seconds for file in files):.1f}"]


def _waiting(status: Status) -> str:
    if status.waiting_for is not None:
        return f"[yellow]waiting for {status.waiting_for}[/]"
    return f"next tweet in {status.due_in_s:,.0f} s" if status.due_in_s >= 1 else ""


def _counts(events: int, dead_letters: int, events_per_s: float) -> str:
    shown = f"{events:,} events"
    if dead_letters:
        shown += f" · [red]{dead_letters:,} dead letters[/]"
    return f"{shown} · {events_per_s:,.0f}/s"
