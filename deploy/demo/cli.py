"""`murmur demo`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from deploy.demo.archive import FEWEST_LINES, LINES, MOST_LINES
from schemas.printing import print_json

if TYPE_CHECKING:
    from rich.console import Console

    from deploy.demo.verification import Check


@click.command(short_help="Run the whole pipeline on a sample archive.")
@click.option(
    "--lines",
    type=click.IntRange(FEWEST_LINES, MOST_LINES),
    default=LINES,
    show_default=True,
    help="Size of the sample archive.",
)
@click.option(
    "--run",
    default="demo",
    show_default=True,
    help="Name of the run. It must not exist yet; only `demo` is overwritten.",
)
@click.option(
    "--full",
    is_flag=True,
    help="Let a stream change, and another model serve it: alarm, training, gate, swap.",
)
@click.option("--keep-up", is_flag=True, help="Leave the stack running afterwards.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def demo(
    context: click.Context, lines: int, run: str, full: bool, keep_up: bool, as_json: bool
) -> None:
    """Send a sample archive of made-up tweets through the whole pipeline, on this machine.

    Starts the stack, replays, scores, stores, and counts in PostgreSQL whether everything that is
    in the archive came out as it should. Exits 1 if any figure differs.

    With --full it is another story, in an installation of its own. People begin to speak otherwise,
    the watch raises an alarm, a model is trained on the sample's own labels, passes the gate, and
    takes over while tweets flow. It needs training's libraries: `make demo-full` installs them.
    """
    import logging

    from deploy.demo.display import mismatch
    from schemas.events import LIVE, valid_run_name
    from schemas.failures import Failure
    from schemas.process.stop_signals import exit_on_termination
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console

    if run == LIVE or not valid_run_name(run):
        raise click.BadParameter(
            f"{run!r} is not a valid name for the run of a replay", param_hint="--run"
        )
    if full:
        for option in ("lines", "run"):
            if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{option} has no effect with --full")

    # So that the stack is stopped also where a program ends the demo.
    exit_on_termination()
    logging.basicConfig(level=logging.ERROR)
    home, console = load_settings().home, terminal_console(stderr=True)
    ok, checks = (
        _full(home, keep_up, as_json, console)
        if full
        else _plain(home, run, lines, keep_up, as_json, console)
    )
    if not ok:
        raise Failure(f"the demo's figures differ: {mismatch(checks)}")


def _plain(
    home: Path, run: str, lines: int, keep_up: bool, as_json: bool, console: "Console"
) -> "tuple[bool, list[Check]]":
    from deploy.demo.demo import run_demo
    from deploy.demo.display import print_result
    from schemas.terminal import terminal_console

    result = run_demo(home, run=run, lines=lines, keep_up=keep_up, console=console)
    if as_json:
        print_json(result)
    else:
        print_result(result, terminal_console())
    return result.ok, result.checks


def _full(
    home: Path, keep_up: bool, as_json: bool, console: "Console"
) -> "tuple[bool, list[Check]]":
    from deploy.demo.full.display import print_full_result
    from deploy.demo.full.full_demo import run_full_demo
    from schemas.terminal import terminal_console

    result = run_full_demo(home, keep_up=keep_up, console=console)
    if as_json:
        print_json(result)
    else:
        print_full_result(result, terminal_console())
    return result.ok, result.checks
