"""What people see of a replay: a bar for each file while it runs, a table at the end."""

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from producers.replaying.plan import Action, ArchiveFile
from producers.replaying.report import FileReport, Outcome, ReplayReport
from producers.replaying.status import Status


class ProgressDisplay:
    """A bar for each file: bytes of its size as it is stored, events, dead letters, events/s."""

    def __init__(self, progress: Progress, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._clock = clock
        self._tasks: dict[str, tuple[TaskID, float]] = {}

    def __call__(self, status: Status) -> None:
        """Show a status."""
        task, began_at_s = self._task(status.file)
        events = status.report.events.total()
        seconds = max(self._clock() - began_at_s, 0.001)
        self._progress.update(
            task,
            completed=status.bytes_read,
            counts=_counts(status.report, events / seconds),
            waiting=f"[yellow]waiting for {status.waiting_for}[/]" if status.waiting_for else "",
        )

    def _task(self, file: ArchiveFile) -> tuple[TaskID, float]:
        if file.sha256 not in self._tasks:
            task = self._progress.add_task(
                escape(file.path.name), total=file.size_bytes, counts="", waiting=""
            )
            self._tasks[file.sha256] = (task, self._clock())
        return self._tasks[file.sha256]


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
    table = Table(title=f"run {escape(report.run)}: {report.outcome.value}", title_justify="left")
    table.add_column("file", overflow="fold")
    for heading in ("lines", "events", "dead letters", "skipped", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("", overflow="fold")
    for file in report.files:
        table.add_row(
            escape(file.planned.file.path.name),
            f"{file.lines:,}",
            f"{file.events.total():,}",
            f"{file.dead_letters.total():,}",
            f"{file.skipped.total():,}",
            f"{file.seconds:.1f}",
            escape(_remark(file)),
        )
    return table


def what_next(report: ReplayReport, dead_letter_topic: str) -> list[str]:
    """Return the sentences that a person should read after a replay."""
    sentences = []
    if report.dead_letters:
        reasons: dict[str, int] = {}
        for file in report.files:
            for reason, count in file.dead_letters.items():
                reasons[reason] = reasons.get(reason, 0) + count
        listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
        sentences.append(
            f"{report.dead_letters:,} could not be parsed ({listed}): each stands, with its file, "
            f"line and reason, in the topic {dead_letter_topic}"
        )
    sentences += [
        f"{file.planned.file.path} could not be read to its end: {file.damage}"
        for file in report.damaged
    ]
    if report.outcome is not Outcome.FINISHED:
        sentences.append("The same command goes on where this one ended.")
    return sentences


def _remark(file: FileReport) -> str:
    if file.damage is not None:
        return file.damage
    return "" if file.planned.action is Action.BEGIN else file.planned.action.value


def _counts(report: FileReport, events_per_s: float) -> str:
    dead = report.dead_letters.total()
    shown = f"{report.events.total():,} events"
    if dead:
        shown += f" · [red]{dead:,} dead letters[/]"
    return f"{shown} · {events_per_s:,.0f}/s"
