"""`murmur prune`."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stream_processors.retention.prune import PruneReport


@click.command(short_help="Drop old days of `live`; figures stay.")
@click.option(
    "--keep", required=True, metavar="LENGTH", help="Whole days to keep before today: 30d, 8w."
)
@click.option("--yes", is_flag=True, help="Do not ask, however much is dropped.")
@click.option(
    "--lower",
    is_flag=True,
    help="Keep more again: what comes late is stored, not `expired`.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be dropped, and drop nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def prune(keep: str, yes: bool, lower: bool, dry_run: bool, as_json: bool) -> None:
    """Drop old days of `live`: tweets and scores; figures stay as they are.

    What is older than the limit and arrives later is counted as `expired` and stored nowhere.
    Deletions stay remembered, since they also keep archives from bringing a tweet back. What day it
    is PostgreSQL says. Where more than half of the days would go, it asks first, or needs --yes.
    """
    from datetime import timedelta

    import msgspec

    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.aggregates.windows import InvalidWindow, parse_window
    from stream_processors.retention.limit import lower_limit, today
    from stream_processors.retention.prune import PruneReport, takes_more_than_half
    from stream_processors.retention.prune import prune as prune_live

    try:
        length = parse_window(keep).length
    except InvalidWindow:
        length = None
    if length is None or length % timedelta(days=1):
        raise click.BadParameter(f"{keep!r} are no whole days: say 30d or 8w", param_hint="--keep")
    if lower and dry_run:
        raise click.UsageError("--lower drops nothing: there is nothing to try")
    connection = connect_postgres(load_settings(), "prune")
    try:
        with connection, connection.cursor() as cur:
            first_day = today(cur) - length
        if lower:
            with connection, connection.cursor() as cur:
                report = PruneReport(kept_from=lower_limit(cur, first_day), days=(), dry_run=False)
        else:
            report = prune_live(connection, first_day, dry_run=True)
            if not dry_run:
                if not yes and takes_more_than_half(connection, report):
                    _ask(report)
                report = prune_live(connection, first_day, dry_run=False)
    finally:
        connection.close()
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    verb = "would be dropped" if dry_run else "dropped"
    for day in report.days:
        name = f"{day.day}" if day.days == 1 else f"{day.day:%Y-%m}   "
        click.echo(f"{name}  {day.size_bytes / 2**20:,.1f} MiB  {verb}")
    click.echo(
        f"{report.day_count:,} days {verb}; `live` keeps tweets from {report.kept_from} on",
        err=True,
    )


def _ask(report: "PruneReport") -> None:
    """Raise unless a person agrees."""
    days = f"{report.day_count:,} days, from {report.days[0].day} to before {report.kept_from}"
    if not sys.stdin.isatty():
        raise click.UsageError(f"more than half would be dropped ({days}): add --yes if that is so")
    click.confirm(f"Drop more than half of `live`, {days}?", abort=True, err=True)
