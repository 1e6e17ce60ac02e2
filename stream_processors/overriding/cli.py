"""`murmur overrides apply`, `murmur overrides figures`."""

from datetime import datetime

import click

from schemas.printing import print_json, print_line
from schemas.time_option import Moment

_RUN = click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command("apply", short_help="Apply the overrides to stored tweets.")
@_RUN
@click.option(
    "--from",
    "since",
    type=Moment(),
    help="Only tweets posted since this time: 2026-11-21, …T10:30, or 2h (ago).",
)
@click.option("--to", "until", type=Moment(), help="Only tweets posted before this time.")
@click.option("--none", "take_back", is_flag=True, help="Take all overrides back.")
@_JSON
def apply(
    run: str, since: datetime | None, until: datetime | None, take_back: bool, as_json: bool
) -> None:
    """Apply the overrides of MURMUR_OVERRIDES to a run's stored tweets, without the model.

    Figures move with the tweets. Killed at any time it goes on where it was; repeated it changes
    nothing. Figures of pruned days stay as they are.
    """
    from contextlib import closing

    from model_server.overrides.override_file import usable_overrides
    from schemas.failures import Failure
    from schemas.known_runs import require_run
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console
    from schemas.transport.postgres import connect_postgres
    from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
    from stream_processors.overriding.apply_to_stored import apply_to_stored
    from stream_processors.overriding.known_labels import labels_of_models

    settings = load_settings()
    if settings.overrides is None and not take_back:
        raise Failure("there are no overrides: MURMUR_OVERRIDES names their file")
    with closing(connect_postgres(settings.postgres_connection, "overrides")) as connection:
        require_run(connection, run)
        overrides = (
            None
            if take_back
            else usable_overrides(settings.overrides, labels_of_models(connection, run))
        )
        looked_at = 0
        with terminal_console(stderr=True).status("applying overrides …") as status:

            def done(scores: int) -> None:
                nonlocal looked_at
                looked_at += scores
                status.update(f"applying overrides: {looked_at:,} scores")

            report = apply_to_stored(
                connection,
                run,
                overrides,
                first=since or FIRST_TWEET,
                until=until or LAST_MOMENT,
                done=done,
            )
    if as_json:
        print_json(report)
        return
    print_line(
        f"{report.scores:,} scores were looked at, {report.changed:,} changed; "
        f"{report.overridden:,} are overridden now"
    )


@click.command(short_help="Show a run's labels with overrides and without.")
@_RUN
@_JSON
def figures(run: str, as_json: bool) -> None:
    """Show how many tweets of a run each override changed, and the labels without them."""
    from contextlib import closing

    from schemas.escape_for_terminal import shown
    from schemas.known_runs import require_run
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.overriding.figures import override_figures

    with closing(connect_postgres(load_settings().postgres_connection, "overrides")) as connection:
        require_run(connection, run)
        with connection, connection.cursor() as cur:
            found = override_figures(cur, run)
    if as_json:
        print_json(found)
        return
    for label in sorted({*found.labels, *found.labels_without}):
        print_line(
            f"{shown(label)}: {found.labels.get(label, 0):,} tweets, "
            f"{found.labels_without.get(label, 0):,} without overrides"
        )
    for change in found.changes:
        print_line(
            f"{shown(change.name)} (version {change.version}): {change.tweets:,} from "
            f"{shown(change.without)} to {shown(change.label)}"
        )
    if not found.changes:
        print_line("no override changed a tweet of this run")
