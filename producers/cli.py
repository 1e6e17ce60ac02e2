"""`murmur replay`: archives in, events out."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from producers.formats.registry import FORMATS
from producers.option_types import Columns, NamedColumns, Speed, Time, confirm_live
from schemas.printing import print_json

if TYPE_CHECKING:
    from rich.console import Console

    from producers.parsing.written_dates import DayOrder
    from producers.replay.run_replay import ReplayRequest
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
    help="Format of all files. Default: recognised from each file's content.",
)
@click.option(
    "--columns",
    type=Columns(),
    metavar="A,B,C | NAME=COLUMN,...",
    help="Column names of a CSV or TSV without a header. Its first line is read as a row. Or, by "
    'name, which column or field is meant: text="Tweet Text",id=tweet_id (label=- for none).',
)
@click.option(
    "--dates",
    "day_order",
    type=click.Choice(["dmy", "mdy"]),
    help="Order of day and month in dates of numbers, where the file does not show it.",
)
@click.option(
    "--quoting/--no-quoting",
    default=None,
    help="CSV quoting. Default: CSV yes, TSV where its rows show it.",
)
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Give each tweet the rules of this file (see `murmur rules`) that it matches.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Publish at most this many events per second.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Stop after this many events.")
@click.option(
    "--max-lag",
    type=click.IntRange(min=0),
    default=DEFAULT_MAX_LAG,
    show_default=True,
    help="Pause while this many events wait for scoring, so that live ones pass. 0: never pause.",
)
@click.option(
    "--force", is_flag=True, help="Go on where none of a file's first 100 records is usable."
)
@click.option(
    "--restart",
    is_flag=True,
    help="Publish every file from its start, also what an earlier call has published.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Report what the files contain. Publishes nothing and needs no server.",
)
@click.option(
    "--speed",
    type=Speed(),
    default="max",
    show_default=True,
    help="Playback speed: 1x keeps the tweets' distances in time, 60x is 60 times as fast, max "
    "does not wait.",
)
@click.option("--from", "start", type=Time(), help="Only tweets posted at this time or later.")
@click.option("--to", "end", type=Time(), help="Only tweets posted before this time.")
@click.option(
    "--into",
    type=click.Choice(["live"]),
    help="Publish into the run of the live stream. Asks first.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation of --into live.")
@click.option(
    "--shift-to-now",
    is_flag=True,
    help="Move all times so that the first tweet (at --speed 1x) or the newest one (at any other "
    "speed) is posted now.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--probe-port", type=click.IntRange(0, 65535), help="Port of metrics and probes. Default: none."
)
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

    FILE is a file, a folder, a pattern, or - for standard input. A file may be plain, .gz, .bz2,
    .zst, Parquet, or a tar or zip of such files.

    After an interruption, run the same command again: it continues where it ended.

    Of tables the columns id, text, label, created_at, lang and author_id are read. Columns with
    other names are ignored; in --columns write - for them. Times are ISO 8601, in UTC unless they
    have an offset.

    Exits 1 if a file could not be read to its end, or if nothing of a named file is usable.
    """
    import logging

    from producers.archives.inputs import inputs_of
    from producers.formats.archive_format import FormatOptions
    from producers.replay.display import report_table, what_next
    from producers.replay.report import ReplayOutcome
    from producers.replay.run_name import run_name_of
    from producers.replay.run_replay import ReplayRequest, run_replay
    from producers.replay.time_range import Times
    from producers.rules.tag_with_rules import rule_matcher
    from schemas.events import LIVE, valid_run_name
    from schemas.process.exit_codes import ExitCode, interrupted_by
    from schemas.process.logs import configure_logging
    from schemas.process.stop_signals import StopSignals
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    if run is not None and into is not None:
        raise click.UsageError("--run and --into exclude each other: each names a run")
    if start is not None and end is not None and start >= end:
        raise click.UsageError("--from must be before --to")
    inputs = inputs_of(files)
    name = into or run or run_name_of(Path(files[0]).resolve())
    if (name == LIVE and into is None) or not valid_run_name(name):
        raise click.BadParameter(
            "a run's name has at most 63 characters of a-z, 0-9, '.', '_' and '-', "
            "and is not `live`",
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
    configure_logging(settings.command_log, "replay")
    if console.is_terminal:
        logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))
    report = run_replay(settings, request, interrupted, console)
    if as_json:
        print_json(report.as_json())
    else:
        print_whole(terminal_console(), report_table(report))
    for sentence in what_next(report):
        console.print(sentence, markup=False, soft_wrap=True)
    if report.outcome is ReplayOutcome.INTERRUPTED:
        return interrupted_by(interrupted.signal_number or 0)
    return ExitCode.FAILED if report.damaged or report.useless else ExitCode.DONE


def _dry_run(
    request: "ReplayRequest", interrupted: "StopSignals", console: "Console", *, as_json: bool
) -> int:

    from producers.replay.dry_run_display import dry_run_lines
    from producers.replay.run_replay import run_dry
    from schemas.process.exit_codes import ExitCode
    from schemas.terminal import terminal_console

    found = run_dry(request, interrupted, console)
    if as_json:
        print_json(found.as_json())
    else:
        output = terminal_console(soft_wrap=True)
        for line in dry_run_lines(found):
            output.print(line, markup=False)
    return ExitCode.FAILED if found.damaged or found.useless else ExitCode.DONE
