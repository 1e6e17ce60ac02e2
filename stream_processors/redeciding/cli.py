"""`murmur decisions apply`."""

from datetime import datetime

import click

from schemas.printing import print_json, print_line
from schemas.time_option import Moment


@click.command("apply", short_help="Decide stored tweets anew.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option(
    "--from",
    "since",
    type=Moment(),
    help="Only tweets posted since this time: 2026-11-21, …T10:30, or 2h (ago).",
)
@click.option("--to", "until", type=Moment(), help="Only tweets posted before this time.")
@click.option(
    "--decision",
    "decision_id",
    metavar="ID",
    help="Decision to apply. Default: the one that the run uses.",
)
@click.option("--none", "own", is_flag=True, help="Give tweets the model's own labels again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def apply(
    run: str,
    since: datetime | None,
    until: datetime | None,
    decision_id: str | None,
    own: bool,
    as_json: bool,
) -> None:
    """Decide a run's stored tweets anew from their stored probabilities, without the model.

    Figures move with the tweets. Killed at any time it goes on where it was; repeated it changes
    nothing. Figures of pruned days stay as they are. Overrides of MURMUR_OVERRIDES come last, as
    where tweets are scored; without that setting, what was overridden stays so.
    """
    import time

    import msgspec

    from model_server.overrides.followed_overrides import FollowedOverrides
    from schemas.known_runs import require_run
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console
    from schemas.transport.postgres import connect_postgres
    from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
    from stream_processors.overriding.known_labels import labels_of_models
    from stream_processors.redeciding.choose_decision import chosen_decision, why_nothing
    from stream_processors.redeciding.redecide import redecide

    if own and decision_id is not None:
        raise click.UsageError("--none and --decision exclude each other")
    settings = load_settings()
    connection = connect_postgres(settings.postgres_connection, "decisions")
    decided = 0
    console = terminal_console(stderr=True)
    try:
        require_run(connection, run)
        labels = [] if settings.overrides is None else labels_of_models(connection, run)
        overrides = FollowedOverrides(settings.overrides, lambda: labels)
        target = None if own else chosen_decision(connection, run, decision_id)
        with console.status("deciding stored tweets anew …") as status:

            def done(scores: int) -> None:
                nonlocal decided
                decided += scores
                status.update(f"deciding stored tweets anew: {decided:,}")

            report = redecide(
                connection,
                run,
                target,
                first=since or FIRST_TWEET,
                until=until or LAST_MOMENT,
                overrides=overrides.looked_at_by(time.monotonic),
                done=done,
            )
        why = "" if report.scores else why_nothing(connection, run, target)
    finally:
        connection.close()
    if as_json:
        print_json(msgspec.structs.replace(report, note=why))
        return
    by = "by the model alone" if report.decision is None else f"by decision {report.decision}"
    print_line(
        f"{report.scores:,} scores were decided {by}; {report.other_labels:,} got another label"
    )
    if why:
        print_line(why)
