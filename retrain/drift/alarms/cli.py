"""`murmur alarms`."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from schemas.alarm_events import AlarmKind
from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from schemas.transport.postgres import Connection

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_ID = click.argument("alarm_id", metavar="ID")


@click.group(short_help="What the watch has found.")
def alarms() -> None:
    """Look at what the watch has found, and say that you have seen it.

    An alarm is of one of two kinds. model: the model may be wrong. world: the world has moved.
    """


@alarms.command("list")
@click.option("--run", help="Only alarms of this run.")
@click.option("--rule", help="Only alarms of this rule. Empty (''): those of all tweets.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in AlarmKind]),
    help="model: the model may be wrong. world: the world has moved.",
)
@click.option("--open", "only_open", is_flag=True, help="Only alarms that have not ended.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@_JSON
def list_alarms(
    run: str | None,
    rule: str | None,
    kind: str | None,
    only_open: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show alarms: open ones first, then the newest.

    Where windows of the last 30 days had too few tweets to be judged, it says how many.
    """
    import msgspec

    from retrain.drift.alarms.display import alarms_table
    from retrain.drift.alarms.sentences import sentence
    from retrain.drift.alarms.stored_alarms import AlarmSelection, find_alarms
    from retrain.drift.not_judged import runs_not_judged
    from schemas.known_names import rules_without_tweets
    from schemas.known_runs import require_run
    from schemas.terminal import print_whole, terminal_console

    chosen = AlarmKind(kind) if kind else None
    selection = AlarmSelection(run=run, rule=rule, kind=chosen, open=only_open)
    with _database() as connection:
        with connection, connection.cursor() as cur:
            total, found = find_alarms(cur, selection, limit)
            not_judged = runs_not_judged(cur, run, rule)
        if not total:
            if run is not None:
                require_run(connection, run)
            for slip in rules_without_tweets(connection, run, [rule or ""]):
                print_line(slip, err=True)
    if as_json:
        documents = [{"sentence": sentence(alarm), **msgspec.to_builtins(alarm)} for alarm in found]
        print_json({"total": total, "alarms": documents, "not_judged": not_judged})
        return
    if found:
        print_whole(terminal_console(), alarms_table(found))
    print_line(f"{len(found):,} of {total:,} alarms", err=True)
    for silent in not_judged:
        print_line(silent.sentence, err=True)


@alarms.command(short_help="Show an alarm, and what changed.")
@_ID
@_JSON
def show(alarm_id: str, as_json: bool) -> None:
    """Show all that is known of an alarm, and what changed against its reference.

    Where the tweets of the reference are gone, the week before the alarm takes their place.
    """
    import msgspec

    from retrain.drift.alarms.display import alarm_view
    from retrain.drift.alarms.sentences import sentence
    from retrain.drift.alarms.stored_alarms import find_alarm
    from retrain.drift.alarms.why_alarm import why_alarm
    from retrain.drift.why.display import why_view
    from schemas.failures import Failure
    from schemas.terminal import print_whole, terminal_console

    why, fault = None, None
    with _database() as connection:
        with connection, connection.cursor() as cur:
            alarm = find_alarm(cur, alarm_id)
        try:
            with connection, connection.cursor() as cur:
                why = why_alarm(cur, alarm)
        except Failure as failure:
            # The tweets may be pruned by now, and the alarm stays worth showing.
            fault = str(failure)
    if as_json:
        print_json(
            {
                "sentence": sentence(alarm),
                **msgspec.to_builtins(alarm),
                "why": why,
                "why_fault": fault,
            }
        )
        return
    print_whole(terminal_console(), alarm_view(alarm))
    if why is not None:
        print_whole(terminal_console(), "", why_view(why))
    else:
        print_line(f"cannot say what changed: {fault}", err=True)


@alarms.command(short_help="Say that you have seen an alarm.")
@_ID
@click.option("--note", default="", help="What you make of it. It is stored with the alarm.")
@click.option("--by", help="Who has seen it. Default: the name of the user.")
@click.option("--undo", is_flag=True, help="Take it back, with its note, if it was you.")
@_JSON
def acknowledge(alarm_id: str, note: str, by: str | None, undo: bool, as_json: bool) -> None:
    """Say that you have seen an alarm. It stays open until what it found has ended."""
    from retrain.drift.alarms.sentences import sentence
    from retrain.drift.alarms.stored_alarms import acknowledge as acknowledge_alarm
    from retrain.drift.alarms.stored_alarms import take_back
    from schemas.escape_for_terminal import shown

    if undo and note:
        raise click.UsageError("--undo takes no --note")
    person = by or _user()
    with _database() as connection, connection, connection.cursor() as cur:
        if undo:
            alarm = take_back(cur, alarm_id, by=person)
        else:
            alarm = acknowledge_alarm(cur, alarm_id, by=person, note=note)
    if as_json:
        print_json(alarm)
    elif undo:
        print_line(f"not acknowledged: {sentence(alarm)}")
    else:
        print_line(f"acknowledged by {shown(alarm.acknowledged_by)}: {sentence(alarm)}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("the user has no name here: say --by NAME") from None


@contextmanager
def _database() -> "Iterator[Connection]":
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    connection = connect_postgres(load_settings().postgres_connection, "alarms")
    try:
        yield connection
    finally:
        connection.close()
