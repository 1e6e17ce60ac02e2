"""`murmur models`: which model serves, and the commands that change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from model_server.bundle_option import BundlePath
from schemas.printing import print_json, print_line
from schemas.process.exit_codes import ExitCode
from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import GUARD
from schemas.time_option import Moment
from schemas.tweet_shares import PLACES

if TYPE_CHECKING:
    from schemas.model_events import ModelPromoted
    from schemas.settings import Settings
    from schemas.transport.postgres import Connection

_SHARE = click.FloatRange(0.0001, 0.9999)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def models() -> None:
    """Show which model serves, promote another one, go back."""


@models.command("list")
@_JSON
def list_models(as_json: bool) -> None:
    """Show every promotion, the last one first."""

    from retrain.promotion.display import promotions_table
    from retrain.promotion.promotions import promotions
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    with _connected(load_settings()) as connection:
        found = promotions(connection)
    if as_json:
        print_json({"promotions": found})
    elif found:
        print_whole(terminal_console(), promotions_table(found))
    else:
        print_line(
            "no model was promoted yet: each process serves the bundle that MURMUR_MODEL names"
        )


@models.command(short_help="Have another bundle serve.")
@click.argument("bundle", type=BundlePath())
@click.option(
    "--because", default="promoted by hand", show_default=True, help="Why, in a sentence."
)
@click.option(
    "--weight",
    type=_SHARE,
    help="Share of the tweets that it scores, of 1; the champion scores the others. Default: all.",
)
@_JSON
def promote(bundle: Path, because: str, weight: float | None, as_json: bool) -> None:
    """Have a bundle serve from now on.

    It is tested first and copied to MURMUR_BUNDLES. Every process that serves takes it over between
    two batches. A process whose MURMUR_MODEL names a bundle keeps that one.

    With --weight two models share the stream: `murmur models compare --arms` compares them. The
    service that answers over HTTP goes on with the champion.
    """
    from model_server.bundle import default_bundle
    from retrain.promotion.bundle_shelf import BundleShelf
    from retrain.promotion.promote import promote as store_promotion
    from schemas.settings import load_settings
    from schemas.transport.postgres import database_now

    settings = load_settings()
    with _connected(settings) as connection:
        # First what Kafka has not heard yet, so that a promotion that it did not take can be told.
        _tell(settings, connection)
        event = store_promotion(
            connection,
            BundleShelf(settings.bundle_shelf),
            bundle,
            served_before=lambda: settings.model or default_bundle(),
            because=because,
            now=database_now(connection),
            weight=None if weight is None else round(weight * PLACES),
        )
        _tell(settings, connection)
    _print(event, as_json)


@models.command(short_help="Give the challenger more tweets, fewer, or none.")
@click.option("--weight", type=_SHARE, help="Share of the tweets for the challenger, of 1.")
@click.option("--end", is_flag=True, help="Give all tweets to the champion again.")
@click.option("--because", default="by hand", show_default=True, help="Why, in a sentence.")
@_JSON
def split(weight: float | None, end: bool, because: str, as_json: bool) -> None:
    """Change how champion and challenger share the tweets.

    A challenger that gets more tweets keeps those that it had. To have it serve all of them,
    promote its bundle.
    """
    from retrain.promotion.promote import split as store_split
    from schemas.settings import load_settings
    from schemas.transport.postgres import database_now

    if end == (weight is not None):
        raise click.UsageError("name --weight or --end")
    settings = load_settings()
    with _connected(settings) as connection:
        # First what Kafka has not heard yet, so that a promotion that it did not take can be told.
        _tell(settings, connection)
        event = store_split(
            connection,
            weight=None if weight is None else round(weight * PLACES),
            because=because,
            now=database_now(connection),
        )
        _tell(settings, connection)
    _print(event, as_json)


@models.command(short_help="Have the model before serve again.")
@click.option(
    "--to", metavar="HASH", help="The model to go back to: the beginning of its hash is enough."
)
@click.option("--because", default="rolled back by hand", show_default=True, help="Why.")
@_JSON
def rollback(to: str | None, because: str, as_json: bool) -> None:
    """Have the champion before the present one serve again. Said twice, it goes further back.

    While two models share the tweets, the champion gets all of them again instead.
    """
    from model_server.bundle_store import BundleStore
    from retrain.promotion.promote import roll_back
    from schemas.failures import Failure
    from schemas.settings import load_settings
    from schemas.transport.postgres import database_now

    settings = load_settings()
    with _connected(settings) as connection:
        event = roll_back(connection, to=to, because=because, now=database_now(connection))
        _tell(settings, connection)
    _print(event, as_json)
    try:
        BundleStore(settings.model_choice.store).fetch(
            event.champion.address, event.champion.sha256
        )
    except Failure as error:
        # No refusal: only this machine may be the one that cannot have it.
        print_line(
            f"its bundle cannot be had from here ({error}): a process that cannot fetch it goes on "
            "with the model that it has; `murmur models promote BUNDLE` puts it there again",
            err=True,
        )


@models.command(short_help="Remove bundles that no rollback needs.")
@click.option(
    "--keep",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    help="Number of champions whose bundles stay.",
)
@_JSON
def clean(keep: int, as_json: bool) -> None:
    """Remove bundles from MURMUR_BUNDLES; the last champions stay."""

    from retrain.promotion.bundle_shelf import BundleShelf
    from retrain.promotion.promote import clean as remove_bundles
    from schemas.settings import load_settings

    settings = load_settings()
    with _connected(settings) as connection:
        removed = remove_bundles(connection, BundleShelf(settings.bundle_shelf), keep=keep)
    if as_json:
        print_json({"removed": removed})
    else:
        print_line(f"{len(removed)} bundles removed from {settings.bundle_shelf}")


@models.command(short_help="Compare a challenger with the model that serves.")
@click.option("--run", help="Name of the run. Default: live, else the run that changed last.")
@click.option(
    "--challenger", default="", metavar="HASH", help="The beginning of its hash. Default: the last."
)
@click.option("--arms", is_flag=True, help="Compare the two models that share the stream.")
@click.option("--from", "since", type=Moment(), help="Only tweets posted since this time.")
@click.option("--to", "until", type=Moment(), help="Only tweets posted before this time.")
@_JSON
def compare(
    run: str | None,
    challenger: str,
    arms: bool,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Compare the challenger of `murmur shadow` with the model that serves, tweet by tweet.

    Which of them is right can only people say: `murmur labels annotate --disagreements`.

    With --arms each model is compared on its own tweets: `promote --weight` has them share the
    stream.
    """
    from retrain.comparison.arms import ArmsComparison
    from retrain.comparison.display import arms_view, paired_view
    from retrain.comparison.load_arms import load_arms
    from retrain.comparison.load_pairs import load_comparison
    from schemas.known_runs import default_run, require_run
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    if arms and challenger:
        raise click.UsageError(
            "--arms compares the models of the last split: leave out --challenger"
        )
    with _connected(load_settings()) as connection:
        if run is None:
            run = default_run(connection)
        require_run(connection, run)
        found = (
            load_arms(connection, run, since=since, until=until)
            if arms
            else load_comparison(connection, run, challenger=challenger, since=since, until=until)
        )
    if as_json:
        print_json(found)
    else:
        view = arms_view(found) if isinstance(found, ArmsComparison) else paired_view(found)
        print_whole(terminal_console(), view)


@models.command(short_help="Take the last promotion back where it does harm.")
@click.option("--once", is_flag=True, help="Look once, and end: 0 taken back, 99 nothing to do.")
@click.option(
    "--every-s", type=click.FloatRange(1), default=30, show_default=True, help="Between two looks."
)
@probe_port_option(GUARD)
@_JSON
def guard(once: bool, every_s: float, probe_port: int, as_json: bool) -> int:
    """Watch the last promotion, and have the model before serve again where it does harm.

    That is: more dead letters, answers that come later, or shares of labels that jump further than
    `murmur shadow` let expect. A hold follows, so that two models do not take turns.
    """
    from retrain.rollback.guard_process import Guard, run_guard
    from retrain.rollback.rollback_policy import limits_of
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    watching = Guard(
        settings.cluster,
        settings.postgres_connection,
        limits_of(settings.rollback),
        run=settings.retrain_run,
    )
    if not once:
        configure_logging(settings.log, GUARD.name)
        require_trusted_kafka(settings.kafka_connection)
        run_guard(
            watching,
            probes=settings.probe_address(probe_port),
            stall_after_s=settings.stall_after_s,
            every_s=every_s,
        )
        return ExitCode.DONE
    guarded = watching.look()
    if as_json:
        print_json({"guarded": guarded})
    else:
        print_line("nothing was promoted" if guarded is None else guarded.decision.sentence)
    acted = guarded is not None and guarded.went_back_to is not None
    return ExitCode.DONE if acted else ExitCode.NOTHING_TO_DO


@contextmanager
def _connected(settings: "Settings") -> "Iterator[Connection]":
    from schemas.transport.postgres import connect_postgres

    connection = connect_postgres(settings.postgres_connection, "models")
    try:
        yield connection
    finally:
        connection.close()


def _tell(settings: "Settings", connection: "Connection") -> None:
    from retrain.promotion.promotions import publish_waiting
    from schemas.topics import MODELS_PROMOTED
    from schemas.transport.publisher import ConfirmingPublisher

    publisher = ConfirmingPublisher(settings.kafka_connection, "murmur-models")
    publish_waiting(connection, publisher, settings.names.topic(MODELS_PROMOTED))


def _print(event: "ModelPromoted", as_json: bool) -> None:
    if as_json:
        print_json(event)
        return
    model, *challengers = event.models
    print_line(f"{model.name} {model.version} ({model.sha256[:12]}) serves from now on")
    for each in challengers:
        print_line(
            f"{each.name} {each.version} ({each.sha256[:12]}) scores "
            f"{100 * each.weight / PLACES:g} % of the tweets"
        )
