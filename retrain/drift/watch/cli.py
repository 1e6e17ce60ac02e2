"""`murmur watch`: the process, windows made anew, and references that people choose."""

from datetime import datetime

import click

from schemas.counted_nouns import number_of
from schemas.printing import print_json, print_line
from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import WATCH
from schemas.time_option import Moment


@click.group(invoke_without_command=True)
@probe_port_option(WATCH)
@click.option(
    "--recompute",
    is_flag=True,
    help="Make windows, states and alarms of --run anew from the stored tweets, and end.",
)
@click.option("--run", "run_name", help="The run for --recompute.")
@click.pass_context
def watch(ctx: click.Context, probe_port: int, recompute: bool, run_name: str | None) -> None:
    """Count scored tweets into windows and raise alarms when a stream changes.

    The first whole days of a stream become its reference. Until then it is held against the texts
    that the model was validated on, if the model's bundle has their figures.
    """
    if ctx.invoked_subcommand is not None:
        if recompute or run_name:
            raise click.UsageError("--recompute and --run stand alone")
        return
    if recompute != (run_name is not None):
        raise click.UsageError("--recompute needs --run, and --run needs --recompute")
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    if run_name is not None:
        from retrain.drift.watch.recompute import recompute_run
        from retrain.drift.watch.scoring_models import scoring_models
        from retrain.promotion.promotions import promotions
        from schemas.topics import SCORED
        from schemas.transport.postgres import connect_postgres

        connection = connect_postgres(settings.postgres_connection, "watch --recompute")
        # A connection of its own: the other one is in the transaction that recounts.
        asking = connect_postgres(settings.postgres_connection, "watch --recompute")
        models = scoring_models(settings.model_choice, lambda: promotions(asking))
        done = recompute_run(
            connection,
            run_name,
            settings.watch_limits,
            topic=settings.names.topic(SCORED),
            pieces_of=models.counter_of,
            validation_of=models.validation_of,
        )
        print_line(
            f"{number_of(done.tweets, 'tweet')} of {run_name} counted anew:"
            f" {number_of(done.windows, 'window')} judged, {number_of(done.alarms, 'alarm')}"
            " raised or ended"
        )
        return
    from retrain.drift.watch.watch_worker import run_watch_worker

    configure_logging(settings.log, WATCH.name)
    require_trusted_kafka(settings.kafka_connection)
    run_watch_worker(settings, probe_port)


@watch.command()
@click.option("--run", "run_name", required=True, help="The run whose windows are taken.")
@click.option("--from", "start", type=Moment(), required=True, help="First window, UTC.")
@click.option("--to", "end", type=Moment(), required=True, help="The end: windows before it.")
@click.option("--use", is_flag=True, help="Judge windows by it from now on.")
@click.option(
    "--tolerated-error",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of wrong answers up to which audits raise no alarm. Without it they raise none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def reference(
    run_name: str,
    start: datetime,
    end: datetime,
    use: bool,
    tolerated_error: float | None,
    as_json: bool,
) -> None:
    """Make a reference of a span of a stream, for each of its rules and models."""
    if end <= start:
        raise click.BadParameter("must be after --from", param_hint="--to")
    from retrain.drift.watch.choose_reference import choose_reference
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    settings = load_settings()
    made = choose_reference(
        connect_postgres(settings.postgres_connection, "watch reference"),
        run_name,
        (start, end),
        use=use,
        tolerated_error=tolerated_error,
        least_tweets=settings.alarm_limits.least_tweets,
    )
    if as_json:
        print_json(made)
        return
    for one in made:
        rule = one.rule or "all rules"
        print_line(
            f"{rule}, model {one.model_sha256[:12]}: {number_of(one.tweets, 'tweet')}"
            f" in {number_of(one.windows, 'window')}"
        )
    if not use:
        print_line("Not in use: the same call with --use judges windows by them.")
