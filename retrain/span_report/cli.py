"""`murmur report`."""

from datetime import datetime, timedelta
from pathlib import Path

import click

from schemas.printing import print_line
from schemas.time_option import Length, Moment


@click.command(short_help="Write a page about a span of a run, against a reference.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option("--rule", default="", metavar="TAG", help="Only tweets of this rule.")
@click.option("--from", "start", type=Moment(), help="Start of the span. UTC.")
@click.option("--to", "end", type=Moment(), help="End of the span, not in it.")
@click.option(
    "--last",
    type=Length(),
    metavar="LENGTH",
    help="Instead of --from and --to: as 7d or 24h, up to the newest tweet of the run.",
)
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
    rule: str,
    start: datetime | None,
    end: datetime | None,
    last: timedelta | None,
    against: tuple[datetime, datetime] | None,
    output: Path,
) -> None:
    """Write one HTML page: predictions, audits, confidence and data of a span and a reference.

    The page runs nothing and fetches nothing. It has ids of tweets and none of their texts. The
    page of `murmur serve` gives the same file.
    """
    from retrain.drift.why.chosen_spans import chosen_spans
    from retrain.drift.why.compare_spans import Span
    from retrain.span_report.page import page
    from retrain.span_report.read_report import last_span, read_report
    from schemas.failures import Failure
    from schemas.known_names import rules_without_tweets
    from schemas.private_files import write_private
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    named = (start, end) if start is not None and end is not None else None
    if (named is None) == (last is None) or (last is not None and (start or end)):
        raise click.UsageError("name the span by --from and --to, or by --last")
    connection = connect_postgres(load_settings().postgres_connection, "report")
    try:
        for slip in rules_without_tweets(connection, run, [rule]):
            print_line(slip, err=True)
        with connection, connection.cursor() as cur:
            span = Span(*named) if named is not None else last_span(cur, run, last or timedelta())
            before, after = chosen_spans(span.start, span.end, against)
            found = read_report(cur, run, before=before, after=after, rule=rule)
    finally:
        connection.close()
    try:
        write_private(output, page(found))
    except OSError as error:
        raise Failure(f"cannot write {output}: {error.strerror}") from error
    print_line(f"{output} is written; later deletions do not reach it", err=True)
