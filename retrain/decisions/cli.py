"""`murmur decisions fit | use | list | show | drop`; `apply` is in stream_processors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from schemas.counted_nouns import number_of
from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from schemas.settings import Settings
    from schemas.transport.postgres import Connection

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command(short_help="Fit a decision on a run's audits.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    help="Rule that gets biases of its own; may be repeated. "
    "Default: each rule with at least 10 audits.",
)
@click.option("--use", is_flag=True, help="Have scoring use it from its next window on.")
@_JSON
def fit(run: str, rules: tuple[str, ...], use: bool, as_json: bool) -> None:
    """Fit one bias a label on a run's audits, and keep the decision if it is better than none.

    It needs 50 audits. Its gains are measured on audits that it was not fitted on. It is refused
    if the error of the shares would rise, or if accuracy would fall for certain.
    """
    from datetime import UTC, datetime

    import msgspec

    from retrain.decisions.display import decision_view
    from retrain.decisions.fit_run import fit_run
    from retrain.decisions.use_decision import use_decision
    from schemas.stored_decisions import find_decision, store_decision
    from schemas.terminal import print_whole, terminal_console

    with _database() as (settings, connection):
        cluster = settings.cluster if use else None
        fitted = fit_run(connection, run, rules, now=datetime.now(UTC))
        with connection, connection.cursor() as cur:
            id_ = store_decision(cur, fitted.decision).id
        if cluster is not None:
            use_decision(connection, cluster, id_, now=datetime.now(UTC))
        with connection, connection.cursor() as cur:
            stored = find_decision(cur, id_)
    if as_json:
        left_out = {
            "of_other_models": fitted.audits_of_other_models,
            "with_other_labels": fitted.audits_with_other_labels,
        }
        document = {**msgspec.to_builtins(stored), "model": fitted.model, "left_out": left_out}
        print_json(document)
        return
    print_whole(terminal_console(), *decision_view(id_, fitted.decision))
    for count, why in (
        (fitted.audits_of_other_models, "of other models' answers"),
        (fitted.audits_with_other_labels, "with labels that the model does not have"),
    ):
        if count:
            print_line(f"left out: {number_of(count, 'audit')} {why}", err=True)
    print_line(
        f"scoring uses it from its next window on; `murmur decisions apply --run {run}` decides "
        "stored tweets by it"
        if stored.in_use
        else f"it is kept; `murmur decisions use {id_}` puts it to use",
        err=True,
    )


@click.command()
@click.argument("decision_id", metavar="ID")
@_JSON
def use(decision_id: str, as_json: bool) -> None:
    """Have scoring decide the tweets of a decision's run by it, from its next window on."""
    from datetime import UTC, datetime

    from retrain.decisions.use_decision import use_decision

    with _database() as (settings, connection):
        stored = use_decision(connection, settings.cluster, decision_id, now=datetime.now(UTC))
    if as_json:
        print_json(stored)
    else:
        print_line(f"run {stored.decision.run!r} uses decision {stored.id}")


@click.command("list")
@click.option("--run", help="Only decisions of this run.")
@_JSON
def list_decisions(run: str | None, as_json: bool) -> None:
    """Show the decisions that are kept, newest first."""

    from retrain.decisions.display import decisions_table
    from schemas.stored_decisions import list_decisions as stored_decisions
    from schemas.terminal import print_whole, terminal_console

    with _database() as (_, connection), connection, connection.cursor() as cur:
        found = stored_decisions(cur, run)
    if as_json:
        print_json({"decisions": found})
    elif found:
        print_whole(terminal_console(), decisions_table(found))
    else:
        print_line("there are no decisions: `murmur decisions fit --run NAME` makes one")


@click.command()
@click.argument("decision_id", metavar="ID")
@_JSON
def show(decision_id: str, as_json: bool) -> None:
    """Show a decision: what it gains, and its biases."""

    from retrain.decisions.display import decision_view
    from schemas.stored_decisions import find_decision
    from schemas.terminal import print_whole, terminal_console

    with _database() as (_, connection), connection, connection.cursor() as cur:
        stored = find_decision(cur, decision_id)
    if as_json:
        print_json(stored)
        return
    print_whole(terminal_console(), *decision_view(stored.id, stored.decision))
    print_line("it is in use" if stored.in_use else "it is not in use", err=True)


@click.command()
@click.argument("decision_id", metavar="ID")
@_JSON
def drop(decision_id: str, as_json: bool) -> None:
    """End the use of a decision: scoring takes the model's own labels again.

    Stored tweets stay as they are. A decision that was never used is forgotten.
    """

    from retrain.decisions.use_decision import drop_decision

    with _database() as (settings, connection):
        dropped = drop_decision(connection, settings.cluster, decision_id)
    run = dropped.decision.run
    if as_json:
        print_json(dropped)
    elif dropped.deleted:
        print_line(f"decision {dropped.id} is forgotten: it was never used")
    else:
        print_line(
            f"decision {dropped.id} is not in use; it stays listed for the rows that name it"
        )
        print_line(
            f"`murmur decisions apply --run {run} --none` gives stored tweets the model's own "
            "labels",
            err=True,
        )


@contextmanager
def _database() -> "Iterator[tuple[Settings, Connection]]":
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    settings = load_settings()
    connection = connect_postgres(settings.postgres_connection, "decisions")
    try:
        yield settings, connection
    finally:
        connection.close()
