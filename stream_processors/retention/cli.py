"""`murmur prune`."""

import sys
from typing import TYPE_CHECKING

import click

from schemas.counted_nouns import number_of
from schemas.printing import confirm, print_json, print_line

if TYPE_CHECKING:
    from stream_processors.retention.prune import PruneReport


@click.command(short_help="Drop old days of `live`; figures stay.")
@click.option(
    "--keep", required=True, metavar="LENGTH", help="Whole days to keep before today: 30d, 8w."
)
@click.option("--yes", is_flag=True, help="Do not ask, however much would be dropped.")
@click.option(
    "--lower",
    is_flag=True,
    help="Lower the limit: what comes late is stored again, not `expired`.",
)
@click.option("--dry-run", is_flag=True, help="Report what would be dropped, and drop nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def prune(keep: str, yes: bool, lower: bool, dry_run: bool, as_json: bool) -> None:
    """Drop old days of `live`: their tweets and scores. Figures stay as they are.

    What is older than the limit and arrives later is counted as `expired` and stored nowhere.
    Deletions stay remembered, since they also keep archives from bringing a tweet back.
    PostgreSQL's clock decides which day is today. Before it drops more than half of what is
    stored, the command asks. Without a terminal it needs --yes for that.
    """
    from datetime import timedelta

    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.aggregates.time_windows import InvalidWindow, parse_window
    from stream_processors.retention.prune import PruneReport, takes_more_than_half
    from stream_processors.retention.prune import prune as prune_live
    from stream_processors.retention.prune_limit import lower_limit, today

    try:
        length = parse_window(keep).length
    except InvalidWindow:
        length = None
    if length is None or length % timedelta(days=1):
        raise click.BadParameter(
            f"must be whole days such as 30d or 8w, not {keep!r}", param_hint="--keep"
        )
    if lower and dry_run:
        raise click.UsageError("--lower drops nothing: it cannot be used with --dry-run")
    connection = connect_postgres(load_settings().postgres_connection, "prune")
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
        print_json(report)
        return
    verb = "would be dropped" if dry_run else "dropped"
    for day in report.days:
        name = f"{day.day}" if day.days == 1 else f"{day.day:%Y-%m}   "
        print_line(f"{name}  {day.size_bytes / 2**20:,.1f} MiB  {verb}")
    print_line(
        f"{number_of(report.day_count, 'day')} {verb}; `live` keeps tweets from"
        f" {report.kept_from} on",
        err=True,
    )


def _ask(report: "PruneReport") -> None:
    """Raise unless a person agrees."""
    count = number_of(report.day_count, "day")
    days = f"{count}, from {report.days[0].day} to before {report.kept_from}"
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"this would drop more than half of `live` ({days}): add --yes to do it"
        )
    confirm(f"Drop more than half of `live`, {days}?")
