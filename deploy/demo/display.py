"""What a person sees at the end of a demo."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.demo.result import DemoResult
from deploy.demo.verification import Check, Count
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table, print_whole, whole_line
from stream_processors.queries.display import totals_view

_MOST_REPEATED: Final = (
    "SELECT label, text, count(*) FROM scored_tweets GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10"
)


def print_result(result: DemoResult, console: Console) -> None:
    """Print totals, checks and where to look next."""
    console.print()
    print_whole(console, totals_view(result.totals))
    console.print()
    console.print(_archive_line(result), soft_wrap=True)
    print_whole(console, checks_table(result.checks))
    console.print()
    print_whole(console, *_watch_lines(result))
    console.print()
    console.print(_speed_line(result), soft_wrap=True)
    console.print()
    print_whole(console, *_what_next(result))


def checks_table(checks: list[Check]) -> Table:
    """Return a line for each check: both numbers where they differ."""
    table = plain_table()
    for found in checks:
        mark = "[green]✓[/]" if found.ok else "[red]✗[/]"
        numbers = _summed(found.found)
        if not found.ok:
            numbers = f"[red]{_shown(found.found)}, expected {_shown(found.expected)}[/]"
        table.add_row(mark, escape(found.what), numbers)
    return table


def mismatch(checks: list[Check]) -> str:
    """Return one line that names every check that fails, with both figures."""
    return "; ".join(
        f"{found.what}: {_shown(found.found)}, expected {_shown(found.expected)}"
        for found in checks
        if not found.ok
    )


def _archive_line(result: DemoResult) -> str:
    found = result.manifest
    return (
        f"[bold]{found.lines:,} lines[/] = {found.posts:,} posts + {found.edits:,} edits + "
        f"{found.duplicates:,} duplicates + {found.deletions:,} deletions + "
        f"{found.dead_letters:,} dead letters\n"
        f"[bold]{found.rows:,} rows[/] = {found.posts:,} posts − {found.deleted_posts:,} deleted "
        f"posts (their retweets among them); {found.distinct_texts:,} texts are distinct"
    )


def _speed_line(result: DemoResult) -> str:
    return (
        f"[bold]{result.lines_per_s:,.0f} lines a second[/] from file to table: replayed in "
        f"{result.replay_s:.1f} s, all stored after {result.processing_s:.1f} s "
        f"({result.total_s:.1f} s with the stack's start)"
    )


def _watch_lines(result: DemoResult) -> Iterator[Text]:
    alarm = result.alarm
    if alarm is None:
        yield Text("The watch found nothing on the last day: so few tweets tell too little.")
        return
    hours = f"{alarm.hours_after_shift:g} hours"
    yield whole_line(f"On the last day people speak otherwise. The watch, after {hours}:", "bold")
    yield whole_line(f"  {alarm.sentence}", "yellow")
    if alarm.moved:
        yield whole_line(f"  what moved most: {shown(', '.join(alarm.moved))}")
    if alarm.others:
        yield Text(f"  and {alarm.others} more alarms", style="dim")


def _what_next(result: DemoResult) -> Iterator[Text]:
    """Yield commands to be copied, each whole on a line of its own, below what it is for."""
    murmur = _command()
    steps = [
        (f"{murmur} up", "start the stack; it prints where the page is, all of it in a browser"),
        (f"{murmur} replay FILE", "your own archive"),
        (f"{murmur} totals --run {result.run} --window 1d", "its last day"),
        (
            f"{murmur} alarms list --run {result.run}",
            "what the watch found; `alarms show` says why",
        ),
        (f"{murmur} export --run {result.run} --format csv", "every tweet"),
        (f'{murmur} psql -c "{_MOST_REPEATED}"', "the texts that were repeated most"),
        (f"{murmur} status", "addresses of the servers"),
    ]
    where = "The stack is still up." if result.still_up else "The stack is stopped, its data stays."
    yield Text(f"{where} Where to look next:")
    if result.page is not None:
        yield Text("  all of it in a browser", style="dim")
        yield whole_line(f"    {result.page}", "cyan")
    for command, purpose in steps[1:] if result.still_up else steps:
        yield Text(f"  {purpose}", style="dim")
        yield whole_line(f"    {command}", "cyan")
    yield Text("  the archive and its manifest (README.md says more)", style="dim")
    yield whole_line(f"    {shlex.quote(str(result.archive_path.parent))}", "cyan")


def _command() -> str:
    """Return how this person calls `murmur` from where they are."""
    own = Path(sys.executable).with_name("murmur")
    found = shutil.which("murmur")
    if found is not None and Path(found) == own:
        return "murmur"
    here = Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))


def _summed(count: Count) -> str:
    if isinstance(count, int):
        return f"{count:,}"
    return f"{sum(count.values()):,} in {len(count)} groups"


def _shown(count: Count) -> str:
    if isinstance(count, int):
        return f"{count:,}"
    return ", ".join(f"{escape(name)} {number:,}" for name, number in sorted(count.items()))
