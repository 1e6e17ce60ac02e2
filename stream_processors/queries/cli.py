"""`murmur totals`, `murmur runs`, `murmur export`."""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from schemas.counted_nouns import number_of
from schemas.printing import confirm, print_json, print_line
from schemas.time_option import Moment

if TYPE_CHECKING:
    from schemas.transport.postgres import Connection
    from stream_processors.aggregates.aggregates import Selection

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _choosing(command: _Command) -> _Command:
    """Add the options that choose tweets."""
    options = [
        click.option(
            "--from",
            "start",
            type=Moment(),
            help="First moment that counts: a date, or a date and time. UTC unless it says.",
        ),
        click.option(
            "--to", "end", type=Moment(), help="First moment that no longer counts, as --from."
        ),
        click.option(
            "--rule", "rules", multiple=True, help="Only tweets of this rule. May be repeated."
        ),
        click.option(
            "--label",
            "labels",
            multiple=True,
            help="Only tweets that the model gives this label. May be repeated.",
        ),
        click.option(
            "--language",
            "languages",
            multiple=True,
            metavar="CODE",
            help="Only tweets in this language (en, de). May be repeated.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _selection(
    rules: tuple[str, ...], labels: tuple[str, ...], languages: tuple[str, ...]
) -> "Selection":
    from stream_processors.aggregates.aggregates import Selection

    for option, values in (("--rule", rules), ("--label", labels), ("--language", languages)):
        if not all(value.strip() for value in values):
            raise click.BadParameter("is empty", param_hint=option)
    return Selection(
        rules=tuple(dict.fromkeys(rules)),
        labels=tuple(dict.fromkeys(labels)),
        languages=tuple(dict.fromkeys(language.lower() for language in languages)),
    )


def _check_names(
    connection: "Connection", run: str, rules: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    """Refuse labels that no tweet of the run can have, and say of which rules it has none."""
    from schemas.known_names import require_labels, rules_without_tweets
    from schemas.known_runs import require_run

    require_run(connection, run)
    require_labels(connection, run, labels)
    for sentence in rules_without_tweets(connection, run, rules):
        print_line(sentence, err=True)


@click.command(short_help="Show a run's figures.")
@click.option(
    "--run",
    help="Name of the run. Default: `live` if it has tweets, else the run that changed last.",
)
@click.option(
    "--window",
    "window_text",
    metavar="WINDOW",
    help="1h, 1d and all (the default) come from Redis; any other (30m, 6h, 2w) is computed.",
)
@_choosing
@_JSON
def totals(
    run: str | None,
    window_text: str | None,
    start: datetime | None,
    end: datetime | None,
    rules: tuple[str, ...],
    labels: tuple[str, ...],
    languages: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show a run's figures: labels, confidence, hashtags, rules, a series over time.

    Shares are the model's count. Where people labelled audits of the stream, each has the share
    that people would count beside it, with its 95 % interval.

    --from and --to are whole minutes. With --language, or with several rules, the tweets
    themselves are counted, some 40,000 a second. Without --language those of MURMUR_LANGUAGES
    count; empty: all do.
    """
    from contextlib import closing
    from datetime import UTC

    from schemas.known_runs import default_run
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console
    from schemas.transport.cache import connect_redis
    from schemas.transport.postgres import connect_postgres
    from stream_processors.aggregates.time_windows import InvalidWindow, between, parse_window
    from stream_processors.queries.display import totals_view
    from stream_processors.queries.totals import read_totals

    spans = start is not None or end is not None
    if spans and window_text is not None:
        raise click.UsageError("--window and --from or --to exclude each other")
    settings = load_settings()
    selection = _selection(rules, labels, languages or settings.counted_languages)
    try:
        window = between(start, end) if spans else parse_window(window_text or "all")
    except InvalidWindow as error:
        hint = "--from and --to" if spans else "--window"
        raise click.BadParameter(str(error), param_hint=hint) from error
    if rules or labels:
        with closing(connect_postgres(settings.postgres_connection, "totals")) as connection:
            run = run or default_run(connection)
            _check_names(connection, run, rules, labels)
    found = read_totals(
        run,
        window,
        datetime.now(UTC),
        selection,
        cache=settings.aggregates_cache,
        connect_redis=lambda: connect_redis(settings.redis_connection),
        lend_postgres=lambda: closing(connect_postgres(settings.postgres_connection, "totals")),
    )
    if as_json:
        print_json(found)
    else:
        print_whole(terminal_console(), totals_view(found))


@click.group()
def runs() -> None:
    """List the runs, or delete one."""


@runs.command("list")
@_JSON
def list_runs(as_json: bool) -> None:
    """Show every run: the live stream and each replay."""
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console
    from schemas.transport.postgres import connect_postgres
    from stream_processors.queries.display import runs_table
    from stream_processors.queries.run_list import summaries

    connection = connect_postgres(load_settings().postgres_connection, "runs")
    try:
        found = summaries(connection)
    finally:
        connection.close()
    if as_json:
        print_json({"runs": found})
    elif found:
        print_whole(terminal_console(), runs_table(found))
    else:
        print_line("there are no runs yet: `murmur replay FILE` or `murmur demo` makes one")


@runs.command("delete", short_help="Delete a run with its tweets, figures and dead letters.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--really-live", is_flag=True, help="Allow it for the run `live`.")
def delete(name: str, yes: bool, really_live: bool) -> None:
    """Delete a run: its tweets, figures, dead letters and deletions, for good."""
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.retention.run_deletion import (
        delete_run,
        end_decision,
        forget_in_redis,
        refuse_live,
        require_traces,
        uses_decision,
    )

    refuse_live(name, really_live)
    settings = load_settings()
    connection = connect_postgres(settings.postgres_connection, "runs")
    try:
        require_traces(connection, name)
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("cannot ask without a terminal: add --yes to delete")
            confirm(f"Delete run {name!r} with everything in it?")
        decided = uses_decision(connection, name)
        delete_run(connection, name)
    finally:
        connection.close()
    print_line(f"run {name!r} is deleted", err=True)
    if decided and not end_decision(settings, name):
        print_line(
            f"Kafka does not answer: scoring still decides tweets of a new run {name!r} as before, "
            "until another decision is used for it",
            err=True,
        )
    if not forget_in_redis(settings, name):
        print_line(
            f"Redis does not answer; its figures of {name!r} expire in {settings.cache_ttl_s} s",
            err=True,
        )


def _export_by_day(run: str, folder: Path, since: datetime | None, form: str | None) -> None:
    from contextlib import closing
    from datetime import UTC, date

    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.queries.export_days import export_days

    if form not in (None, "parquet"):
        raise click.UsageError("--by-day writes Parquet")
    first = since.astimezone(UTC).date() if since is not None else date.min
    with closing(connect_postgres(load_settings().postgres_connection, "export")) as connection:
        done = export_days(connection, run, folder, since=first)
    print_line(
        f"{number_of(len(done.written), 'day')} written with {number_of(done.tweets, 'tweet')},"
        f" {len(done.removed):,} removed, {done.unchanged:,} as they were",
        err=True,
    )
    print_line("later deletions do not reach these files: export again after them", err=True)


@click.command(short_help="Write a run's tweets with their labels.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@_choosing
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    help="Format of the file. Default: jsonl. Parquet needs --output.",
)
@click.option(
    "--ids-only", is_flag=True, help="Write only tweet ids, one per line. X permits sharing these."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; it appears only when it is complete. Default: standard output.",
)
@click.option(
    "--formula-guard/--no-formula-guard",
    default=True,
    show_default=True,
    help="In CSV, put an apostrophe before a cell that a spreadsheet would run as a formula "
    "(or that begins with an apostrophe: taking one away gives the text back).",
)
@click.option(
    "--by-day",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for one Parquet file a day. Repeat the command: only days that changed are "
    "written again.",
)
@click.option(
    "--since",
    type=Moment(),
    help="With --by-day: leave earlier days as they are, without looking. A date in UTC.",
)
def export(
    run: str,
    start: datetime | None,
    end: datetime | None,
    rules: tuple[str, ...],
    labels: tuple[str, ...],
    languages: tuple[str, ...],
    form: Literal["jsonl", "csv", "parquet"] | None,
    ids_only: bool,
    output: Path | None,
    formula_guard: bool,
    folder: Path | None,
    since: datetime | None,
) -> None:
    """Write a run's tweets with their labels. The same data gives the same bytes."""
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.aggregates.time_windows import possible
    from stream_processors.queries.export import export_run
    from stream_processors.queries.export_rows import Choice

    if folder is not None:
        if ids_only or output or start or end or rules or labels or languages:
            raise click.UsageError(
                "--by-day writes whole days: it goes with --run and --since alone"
            )
        _export_by_day(run, folder, since, form)
        return
    if since is not None:
        raise click.UsageError("--since goes with --by-day")
    if ids_only and form:
        raise click.UsageError("--ids-only and --format exclude each other")
    if form == "parquet" and output is None:
        raise click.UsageError("parquet needs --output FILE")
    if start is not None and end is not None and start >= end:
        raise click.BadParameter("the first is not before the second", param_hint="--from and --to")
    choice = Choice(_selection(rules, labels, languages), possible(start), possible(end))
    connection = connect_postgres(load_settings().postgres_connection, "export")
    try:
        _check_names(connection, run, rules, labels)
        tweets = export_run(
            connection,
            run,
            "ids" if ids_only else form or "jsonl",
            output,
            guard_csv=formula_guard,
            choice=choice,
        )
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    finally:
        connection.close()
    if output is not None:
        print_line(f"{number_of(tweets, 'tweet')} in {output}", err=True)
        print_line("later deletions do not reach this file: export again after them", err=True)
