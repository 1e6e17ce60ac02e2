"""`murmur prune`."""

import click


@click.command(short_help="Drop old days of `live`; figures stay.")
@click.option(
    "--keep", required=True, metavar="LENGTH", help="Whole days to keep before today: 30d, 8w."
)
@click.option("--dry-run", is_flag=True, help="Report what would be dropped, and drop nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def prune(keep: str, dry_run: bool, as_json: bool) -> None:
    """Drop old days of `live`: their tweets and scores. Figures stay as they are.

    What is older than the limit and arrives later is counted as `expired` and stored nowhere.
    Deletions stay remembered, since they also keep archives from bringing a tweet back.
    """
    from datetime import UTC, datetime, timedelta

    import msgspec

    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres
    from stream_processors.aggregates.windows import InvalidWindow, parse_window
    from stream_processors.retention.prune import prune as prune_live

    try:
        length = parse_window(keep).length
    except InvalidWindow:
        length = None
    if length is None or length % timedelta(days=1):
        raise click.BadParameter(
            f"must be whole days such as 30d or 8w, not {keep!r}", param_hint="--keep"
        )
    first_day = datetime.now(UTC).date() - length
    connection = connect_postgres(load_settings().postgres_connection, "prune")
    try:
        report = prune_live(connection, first_day, dry_run=dry_run)
    finally:
        connection.close()
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    verb = "would be dropped" if dry_run else "dropped"
    for day in report.days:
        click.echo(f"{day.day}  {day.size_bytes / 2**20:,.1f} MiB  {verb}")
    click.echo(
        f"{len(report.days):,} days {verb}; `live` keeps tweets from {report.kept_from} on",
        err=True,
    )
