"""`murmur data-quality`."""

from datetime import datetime

import click

from schemas.printing import print_json
from schemas.time_option import Moment


@click.command("data-quality", short_help="Show what a run's tweets are like.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option("--from", "start", type=Moment(), help="Only tweets posted since this time. UTC.")
@click.option("--to", "end", type=Moment(), help="Only tweets posted before this time. UTC.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def data_quality(run: str, start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Show what a run's tweets are like, and whether the model can read them.

    Repeated and empty texts, languages outside the model's, unknown word pieces, dead letters by
    reason, and sentiment and confidence over time.
    """
    from retrain.data_quality.display import data_quality_view
    from retrain.data_quality.measure import measure
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console
    from schemas.transport.postgres import connect_postgres

    if start is not None and end is not None and start >= end:
        raise click.BadParameter("must be later than --from", param_hint="--to")
    connection = connect_postgres(load_settings().postgres_connection, "data-quality")
    try:
        with connection, connection.cursor() as cur:
            found = measure(cur, run, start=start, end=end)
    finally:
        connection.close()
    if as_json:
        print_json(found)
    else:
        print_whole(terminal_console(), data_quality_view(found))
