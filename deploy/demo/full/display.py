"""What a person sees at the end of a full demo."""

import shlex
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.demo.display import checks_table
from deploy.demo.full.result import FullDemoResult
from deploy.demo.full.stored_scores import Accuracy
from schemas.terminal import plain_table, print_whole, whole_line


def print_full_result(result: FullDemoResult, console: Console) -> None:
    """Print what happened in its order, the figures before and after, and the checks."""
    console.print()
    print_whole(console, *_what_happened(result))
    console.print()
    print_whole(console, _figures(result))
    print_whole(
        console,
        Text(
            "The sample's sentences are of few kinds, so that a model learns them nearly by heart. "
            "Expect less of your own stream.",
            style="dim",
        ),
    )
    console.print()
    print_whole(console, checks_table(result.checks))
    console.print()
    print_whole(console, *_what_next(result))


def _what_happened(result: FullDemoResult) -> Iterator[Text]:
    yield whole_line("The stream changed, and another model serves it.", "bold")
    hours = f"{result.hours_after_change:g} hours of tweets after the change"
    yield whole_line(f"  alarm, {hours}: {result.alarm}", "yellow")
    for sentence in result.decisions:
        yield whole_line(f"  decision: {sentence}")
    for rule in result.rules:
        yield whole_line(f"  gate: {rule.sentence}", "green" if rule.passed else "red")
    if result.longest_wait_s is not None:
        yield whole_line(
            f"  swap: within five seconds of it no tweet waited longer than "
            f"{result.longest_wait_s:.1f} s for its score"
        )
    yield whole_line(
        f"  alarm after {result.alarm_s:.0f} s, training and gate {result.job_s:.0f} s, swap "
        f"{result.swap_s:.1f} s; {result.total_s:.0f} s in all",
        "dim",
    )


def _figures(result: FullDemoResult) -> Table:
    numbers = ("number", "right", "called negative", "meant negative")
    table = plain_table("tweets", "scored by", *numbers, numbers=numbers)
    for tweets, model, found in (
        ("as usual", "the first model", result.usual),
        ("after the change", "the first model", result.changed_before),
        ("after the change", "the promoted model", result.changed_after),
    ):
        table.add_row(tweets, model, *_row(found))
    return table


def _row(found: Accuracy) -> tuple[str, ...]:
    right = "" if found.accuracy is None else f"{found.accuracy:.1%}"
    shares = [f"{shares.get('negative', 0.0):.1%}" for shares in (found.said, found.meant)]
    return f"{found.tweets:,}", right, *shares


def _what_next(result: FullDemoResult) -> Iterator[Text]:
    if result.home is None:
        yield Text("All of it ran in an installation of its own, which is gone again.")
        return
    yield Text("It is still up, in an installation of its own. Where to look next:")
    at = f"MURMUR_HOME={shlex.quote(result.home)}"
    for command in ("status", "alarms list", "retrain show 1", "models list", "down --delete-data"):
        yield whole_line(f"    {at} murmur {command}", "cyan")
