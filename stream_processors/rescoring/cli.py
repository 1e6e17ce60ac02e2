"""`murmur rescore`."""

from datetime import datetime
from pathlib import Path

import click

from model_server.bundle_option import BundlePath
from schemas.printing import print_json, print_line
from schemas.time_option import Moment

_NICENESS = 10


@click.command(short_help="Score stored tweets anew with another model.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option(
    "--model",
    "folder",
    type=BundlePath(),
    help="Folder of a bundle, `default` or `fast`. Default: MURMUR_MODEL, else the promoted model, "
    "else the default bundle.",
)
@click.option(
    "--from",
    "since",
    type=Moment(),
    help="Only tweets posted since this time: 2026-11-21, …T10:30, or 2h (ago).",
)
@click.option("--to", "until", type=Moment(), help="Only tweets posted before this time.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Tweets a second, at most. Default: as many as one core scores.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rescore(
    run: str,
    folder: Path | None,
    since: datetime | None,
    until: datetime | None,
    rate: float | None,
    as_json: bool,
) -> None:
    """Score a run's stored tweets anew with another model, and have its scores count.

    Scores of other models stay: with the model before, the command goes back. Killed at any time it
    goes on where it was; repeated it changes nothing. It works with low priority, so that the
    stream beside it goes on.
    """
    import os
    import time
    from datetime import UTC

    from model_server.asked_model import asked_scorer
    from model_server.overrides.followed_overrides import FollowedOverrides
    from schemas.known_runs import require_run
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console
    from schemas.transport.postgres import connect_postgres
    from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
    from stream_processors.rescoring.pace import Pace
    from stream_processors.rescoring.rescore import rescore as rescore_run

    settings = load_settings()
    # The stream is more urgent.
    os.nice(_NICENESS)
    connection = connect_postgres(settings.postgres_connection, "rescore")
    done = 0
    pace = Pace(rate, clock=time.monotonic, wait=time.sleep)
    try:
        require_run(connection, run)
        scorer, sentence = asked_scorer(
            settings.model_choice,
            folder,
            lambda: connect_postgres(settings.postgres_connection, "rescore"),
            cache_size=settings.score_cache_size,
        )
        print_line(sentence, err=True)
        overrides = FollowedOverrides(settings.overrides, lambda: scorer.labels)
        with terminal_console(stderr=True).status("scoring stored tweets anew …") as status:

            def paced(tweets: int) -> None:
                nonlocal done
                done += tweets
                status.update(f"scoring stored tweets anew: {done:,}")
                pace(tweets)

            report = rescore_run(
                connection,
                run,
                scorer,
                first=since or FIRST_TWEET,
                until=until or LAST_MOMENT,
                now=lambda: datetime.now(UTC),
                paced=paced,
                overrides=overrides.looked_at_by(time.monotonic),
            )
    finally:
        connection.close()
    if as_json:
        print_json(report)
        return
    print_line(
        f"{report.tweets:,} more tweets count by {report.model.name} {report.model.version} now; "
        f"{report.other_labels:,} got another label, {report.scored:,} were scored"
    )
    if report.note:
        print_line(report.note)
