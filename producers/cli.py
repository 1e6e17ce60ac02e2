"""`murmur replay`: archives in, events out."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from producers.formats.registry import FORMATS
from producers.option_types import Columns, NamedColumns, Speed, Time, confirm_live

if TYPE_CHECKING:
    from rich.console import Console

    from producers.parsing.written_dates import DayOrder
    from producers.replay.command import ReplayRequest
    from schemas.process.stop_signals import StopSignals

DEFAULT_MAX_LAG = 20_000
"""At some hundred tweets a second and process, half a minute that a live tweet may have to wait."""


@click.command(short_help="Publish archives of tweets.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--run",
    "run",
    metavar="NAME",
    help="Name of the run. Default: the first FILE's; `replay` for standard input.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice([known.name for known in FORMATS]),
    help="Format of all files. Default: told by each file's content.",
)
@click.option(
    "--columns",
    type=Columns(),
    metavar="A,B,C | NAME=COLUMN,...",
    help="Column names of a CSV or TSV without a header, whose first line is a row; or, by name, "
    'which column or field is meant: text="Tweet Text",id=tweet_id (label=- for none).',
)
@click.option(
    "--dates",
    "day_order",
    type=click.Choice(["dmy", "mdy"]),
    help="Order of day and month in dates of numbers, where the file does not show it.",
)
@click.option("--quoting/--no-quoting", default=None, help="CSV quoting. Default: CSV yes, TSV no.")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Give each tweet the rules of this file (see `murmur rules`) that it matches.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Most events a second.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option(
    "--max-lag",
    type=click.IntRange(min=0),
    default=DEFAULT_MAX_LAG,
    show_default=True,
    help="Most events that wait for scoring; live ones pass. 0: no bound.",
)
@click.option(
    "--force", is_flag=True, help="Go on where no record of a file's first 100 is usable."
)
@click.option("--restart", is_flag=True, help="Publish from the start, whatever was done before.")
@click.option(
    "--dry-run", is_flag=True, help="Say what the files hold; publish nothing, need no server."
)
@click.option(
    "--speed",
    type=Speed(),
    default="max",
    show_default=True,
    help="How fast the tweets' own time goes by: 1x, 60x, max.",
)
@click.option("--from", "start", type=Time(), help="Only tweets posted at this time or later.")
@click.option("--to", "end", type=Time(), help="Only tweets posted before this time.")
@click.option("--into", type=click.Choice(["live"]), help="Publish into the live stream's run.")
@click.option("--yes", is_flag=True, help="Do not ask whether --into live is meant.")
@click.option(
    "--shift-to-now",
    is_flag=True,
    help="Move all times: at --speed 1x the first tweet's to now, else the newest one's.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--probe-port", type=click.IntRange(0, 65535), help="Serve metrics and probes here.")
def replay(
    *,
    files: tuple[str, ...],
    run: str | None,
    format_name: str | None,
    columns: NamedColumns | None,
    day_order: "DayOrder | None",
    quoting: bool | None,
    rules_file: Path | None,
    rate: float | None,
    limit: int | None,
    max_lag: int,
    force: bool,
    restart: bool,
    dry_run: bool,
    speed: float | None,
    start: datetime | None,
    end: datetime | None,
    into: str | None,
    yes: bool,
    shift_to_now: bool,
    as_json: bool,
    probe_port: int | None,
) -> int:
    """Publish archives of tweets; what cannot be parsed becomes dead letters.

    FILE is a file, a folder, a pattern, or - for standard input: plain, .gz, .bz2, .zst, Parquet,
    or a tar or zip of such files. The same command goes on where an interrupted one ended. Columns
    that are read are id, text, label, created_at, lang and author_id; others are passed over, a -
    among them. Times are ISO 8601, UTC where they say nothing else. Exit code 1 where a file could
    not be read to its end, or where nothing of one that is named is usable.
    """
    import logging
    import sys

    import msgspec

    from producers.archives.inputs import inputs_of
    from producers.formats.archive_format import FormatOptions
    from producers.replay.command import ReplayRequest, run_replay
    from producers.replay.display import report_table, what_next
    from producers.replay.report import ReplayOutcome
    from producers.replay.run_name import run_name_of
    from producers.replay.times import Times
    from producers.rules.matching import rule_matcher
    from schemas.events import LIVE, valid_run_name
    from schemas.process.logs import configure_logging
    from schemas.process.stop_signals import StopSignals
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console

    if run is not None and into is not None:
        raise click.UsageError("--run and --into name two runs: give one of them")
    if start is not None and end is not None and start >= end:
        raise click.UsageError("--from is not before --to: no tweet lies between them")
    inputs = inputs_of(files)
    name = into or run or run_name_of(Path(files[0]).resolve())
    if (name == LIVE and into is None) or not valid_run_name(name):
        raise click.BadParameter(
            "a run is named in a-z, 0-9, '.', '_' and '-', at most 63 of them, and not `live`",
            param_hint="--run",
        )
    console = terminal_console(stderr=True)
    interrupted = StopSignals()
    request = ReplayRequest(
        inputs=tuple(inputs),
        run=name,
        format_name=format_name,
        options=FormatOptions(
            columns=None if columns is None else columns.by_position,
            mapping=() if columns is None else columns.by_name,
            day_order=day_order,
            quoting=quoting,
        ),
        matcher=None if rules_file is None else rule_matcher(rules_file),
        rate=rate,
        limit=limit,
        max_lag=max_lag,
        restart=restart,
        force=force,
        probe_port=probe_port,
        speed=speed,
        window=Times(start, end),
        shift_to_now=shift_to_now,
    )
    if dry_run:
        return _dry_run(request, interrupted, console, as_json=as_json)
    if into is not None and not yes:
        confirm_live(shift_to_now=shift_to_now)
    settings = load_settings()
    configure_logging(settings, "replay")
    if console.is_terminal:
        logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))
    report = run_replay(settings, request, interrupted, console)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(report.as_json()) + b"\n")
    else:
        terminal_console().print(report_table(report))
    for sentence in what_next(report):
        console.print(sentence, markup=False, soft_wrap=True)
    if report.outcome is ReplayOutcome.INTERRUPTED:
        return 128 + (interrupted.signal_number or 0)
    return 1 if report.damaged or report.useless else 0


def _dry_run(
    request: "ReplayRequest", interrupted: "StopSignals", console: "Console", *, as_json: bool
) -> int:
    import sys

    import msgspec

    from producers.replay.command import run_dry
    from producers.replay.dry_run_display import dry_run_lines
    from schemas.terminal import terminal_console

    found = run_dry(request, interrupted, console)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found.as_json()) + b"\n")
    else:
        output = terminal_console(soft_wrap=True)
        for line in dry_run_lines(found):
            output.print(line, markup=False)
    return 1 if found.damaged or found.useless else 0
