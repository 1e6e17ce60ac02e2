"""`murmur report`."""

from datetime import datetime
from pathlib import Path

import click

from schemas.printing import print_line
from schemas.time_option import Moment


@click.command(short_help="Write a page about a span of a run, against a reference.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option("--from", "start", required=True, type=Moment(), help="Start of the span. UTC.")
@click.option("--to", "end", required=True, type=Moment(), help="End of the span, not in it.")
@click.option(
    "--against",
    nargs=2,
    type=Moment(),
    metavar="FROM TO",
    help="The reference span. Default: the time of equal length before --from.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="File to write; only its owner may read it.",
)
def report(
    run: str,
    start: datetime,
    end: datetime,
    against: tuple[datetime, datetime] | None,
    output: Path,
) -> None:
    """Write one HTML page: data, predictions, confidence and audits of a span and a reference.

    The page runs nothing and fetches nothing. It has ids of tweets and none of their texts.
    """
    from retrain.drift.why.chosen_spans import chosen_spans
    from retrain.span_report.page import page
    from retrain.span_report.read_report import read_report
    from schemas.failures import Failure
    from schemas.private_files import write_private
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    before, after = chosen_spans(start, end, against)
    connection = connect_postgres(load_settings().postgres_connection, "report")
    try:
        with connection, connection.cursor() as cur:
            found = read_report(cur, run, before=before, after=after)
    finally:
        connection.close()
    try:
        write_private(output, page(found))
    except OSError as error:
        raise Failure(f"cannot write {output}: {error.strerror}") from error
    print_line(f"{output} is written; later deletions do not reach it", err=True)
