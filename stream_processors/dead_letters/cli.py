"""`murmur dead-letters`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schemas.codec import Reason
from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from schemas.settings import Settings
    from schemas.transport.postgres import Connection
    from stream_processors.circuit_breaker.breaker_topic import Hold
    from stream_processors.dead_letters.letters import Selection

_Command = TypeVar("_Command", bound=Callable[..., Any])
STAGES = ("replay", "stream", "gaps", "compliance", "score", "sink")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_IDS = click.argument("ids", nargs=-1, type=click.IntRange(min=1))
_STATUS = click.option(
    "--status",
    type=click.Choice(["new", "redriven", "discarded"]),
    help="Only letters with this status.",
)


def _filters(command: _Command) -> _Command:
    for option in (
        click.option("--until", metavar="MOMENT", help="Only letters first seen before this time."),
        click.option(
            "--since",
            metavar="MOMENT",
            help="Only letters first seen since this time: 2026-11-21, …T10:30, or 2h (ago).",
        ),
        click.option(
            "--stage", type=click.Choice(STAGES), help="Only letters that failed at this stage."
        ),
        click.option(
            "--reason",
            type=click.Choice([reason.value for reason in Reason]),
            help="Only letters that failed for this reason.",
        ),
        click.option("--run", help="Only letters of this run."),
    ):
        command = option(command)
    return command


@click.group("dead-letters", short_help="What could not be processed.")
def dead_letters() -> None:
    """Look at what could not be processed, publish it again, or give it up."""


@dead_letters.command("list")
@_filters
@_STATUS
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@_JSON
def list_letters(limit: int, as_json: bool, **filters: str | None) -> None:
    """Show dead letters, newest first."""

    from schemas.terminal import print_whole, terminal_console
    from stream_processors.dead_letters.display import as_document, letters_table
    from stream_processors.dead_letters.letters import (
        count_letters,
        newest_letters,
        require_run_of,
    )

    selection = _selection((), **filters)
    with _database() as (settings, connection):
        require_run_of(connection, selection)
        with connection, connection.cursor() as cur:
            total = count_letters(cur, selection)
            letters = newest_letters(cur, selection, limit)
    hold, fault = _hold(settings)
    if as_json:
        document = {
            "total": total,
            "hold": hold,
            "hold_fault": fault,
            "dead_letters": [as_document(letter) for letter in letters],
        }
        print_json(document)
        return
    if letters:
        print_whole(terminal_console(), letters_table(letters))
    print_line(f"{len(letters):,} of {total:,} dead letters", err=True)
    if hold is not None:
        print_line(
            f"scoring is {hold.sentence()}: `murmur dead-letters release` resumes it", err=True
        )
    elif fault is not None:
        print_line(f"cannot tell whether scoring is held: {fault}", err=True)


@dead_letters.command(short_help="Show all that is known of a dead letter.")
@click.argument("dead_letter_id", metavar="ID", type=click.IntRange(min=1))
@click.option("--raw", is_flag=True, help="Write the value's bytes and nothing else.")
@_JSON
def show(dead_letter_id: int, raw: bool, as_json: bool) -> None:
    """Show all that is known of a dead letter; what would act on a terminal is escaped."""

    from schemas.terminal import print_whole, terminal_console
    from stream_processors.dead_letters.display import as_document, letter_table
    from stream_processors.dead_letters.letters import Selection, find_ids, load_letters

    if raw and as_json:
        raise click.UsageError("--raw writes bytes, --json a document: choose one")
    if raw and sys.stdout.isatty():
        raise click.UsageError("--raw is for files and pipes: a terminal would obey the bytes")
    with _database() as (_, connection), connection, connection.cursor() as cur:
        (letter,) = load_letters(cur, find_ids(cur, Selection(ids=(dead_letter_id,))))
    if raw:
        sys.stdout.buffer.write(letter.value or b"")
        sys.stdout.buffer.flush()
        if not letter.whole:
            print_line(f"only the beginning of {letter.value_size_bytes:,} bytes", err=True)
    elif as_json:
        print_json(as_document(letter))
    else:
        print_whole(terminal_console(), letter_table(letter))


@dead_letters.command(short_help="Publish dead letters again where they came from.")
@_IDS
@_filters
@click.option("--dry-run", is_flag=True, help="Report what would be done, and do nothing.")
@_JSON
def redrive(ids: tuple[int, ...], dry_run: bool, as_json: bool, **filters: str | None) -> int:
    """Publish dead letters to the topic that they came from, by number or by filter.

    Filters select only letters with the status `new`. Each letter is redriven at most three times.
    Exits 1 if one of them cannot be redriven.
    """

    from schemas.process.exit_codes import ExitCode
    from schemas.transport.publisher import ConfirmingPublisher
    from stream_processors.dead_letters.display import by_reason, in_short
    from stream_processors.dead_letters.letters import require_run_of
    from stream_processors.dead_letters.redrive import redrive as redrive_letters

    selection = _chosen(ids, status=None if ids else "new", **filters)
    with _database() as (settings, connection):
        require_run_of(connection, selection)
        publisher = (
            None if dry_run else ConfirmingPublisher(settings.kafka_connection, "murmur-redrive")
        )
        report = redrive_letters(connection, selection, names=settings.names, publisher=publisher)
    if as_json:
        print_json(report)
    else:
        verb = "would be redriven" if dry_run else "redriven"
        print_line(f"{len(report.redriven):,} {verb}, {len(report.refused):,} refused")
        for why, ids_refused in by_reason(report.refused).items():
            print_line(f"{in_short(ids_refused)}: {why}", err=True)
    return ExitCode.FAILED if report.refused else ExitCode.DONE


@dead_letters.command(short_help="Give dead letters up, with a note.")
@_IDS
@_filters
@click.option("--note", default="", help="Why they are given up. It is stored with them.")
@_JSON
def discard(ids: tuple[int, ...], note: str, as_json: bool, **filters: str | None) -> None:
    """Give dead letters up, by number or by filter; they stay in the table, with your note."""

    from stream_processors.dead_letters.discard import discard as discard_letters
    from stream_processors.dead_letters.letters import require_run_of

    selection = _chosen(ids, status=None if ids else "new", **filters)
    with _database() as (_, connection):
        require_run_of(connection, selection)
        discarded = discard_letters(connection, selection, note)
    if as_json:
        print_json({"discarded": discarded})
    else:
        print_line(f"{len(discarded):,} discarded")


@dead_letters.command()
@_JSON
def release(as_json: bool) -> None:
    """Resume scoring that was held because of too many dead letters."""

    from schemas.settings import load_settings
    from stream_processors.circuit_breaker.release_hold import release as release_hold

    hold = release_hold(load_settings().cluster)
    if as_json:
        print_json({"released": hold})
    else:
        print_line("scoring is released" if hold is not None else "scoring is not held")


def _hold(settings: "Settings") -> "tuple[Hold | None, str | None]":
    """Return the hold, or why it is not known: letters are shown without Kafka, too."""
    from schemas.settings import MissingSetting
    from stream_processors.circuit_breaker.release_hold import read_hold

    try:
        cluster = settings.cluster
    except MissingSetting as missing:
        return None, str(missing)
    return read_hold(cluster)


@contextmanager
def _database() -> "Iterator[tuple[Settings, Connection]]":
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    settings = load_settings()
    connection = connect_postgres(settings.postgres_connection, "dead-letters")
    try:
        yield settings, connection
    finally:
        connection.close()


def _chosen(ids: tuple[int, ...], status: str | None, **filters: str | None) -> "Selection":
    if bool(ids) == any(value is not None for value in filters.values()):
        raise click.UsageError("name dead letters by their numbers, or by a filter")
    return _selection(ids, status=status, **filters)


def _selection(ids: tuple[int, ...], **filters: str | None) -> "Selection":
    from datetime import UTC, datetime

    import msgspec

    from schemas.time_option import InvalidMoment, parse_moment
    from stream_processors.dead_letters.letters import Selection

    now = datetime.now(UTC)
    given: dict[str, Any] = {"ids": ids, **filters}
    for name in ("since", "until"):
        text = filters.get(name)
        if text is not None:
            try:
                given[name] = parse_moment(text, now)
            except InvalidMoment as error:
                raise click.BadParameter(str(error), param_hint=f"--{name}") from error
    return msgspec.convert(given, Selection)
