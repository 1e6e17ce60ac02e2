"""`murmur demo`."""

from types import FrameType
from typing import NoReturn

import click

from deploy.demo.archive import FEWEST_LINES, LINES, MOST_LINES
from schemas.printing import print_json


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
@click.option("--keep-up", is_flag=True, help="Leave the stack running afterwards.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def demo(lines: int, run: str, keep_up: bool, as_json: bool) -> None:
    """Send a sample archive of made-up tweets through the whole pipeline, on this machine.

    Starts the stack, replays, scores, stores, and counts in PostgreSQL whether everything that is
    in the archive came out as it should. Exits 1 if any figure differs.
    """
    import logging
    import signal

    from deploy.demo.demo import run_demo
    from deploy.demo.display import mismatch, print_result
    from schemas.events import LIVE, valid_run_name
    from schemas.failures import Failure
    from schemas.process.exit_codes import interrupted_by
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console

    if run == LIVE or not valid_run_name(run):
        raise click.BadParameter(
            f"{run!r} is not a valid name for the run of a replay", param_hint="--run"
        )

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(interrupted_by(number))

    # So that the stack is stopped also where a program ends the demo.
    signal.signal(signal.SIGTERM, stop)
    logging.basicConfig(level=logging.ERROR)
    console = terminal_console(stderr=True)
    result = run_demo(load_settings().home, run=run, lines=lines, keep_up=keep_up, console=console)
    if as_json:
        print_json(result)
    else:
        print_result(result, terminal_console())
    if not result.ok:
        raise Failure(f"the demo's figures differ: {mismatch(result.checks)}")
