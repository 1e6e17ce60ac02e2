"""`murmur why`."""

from datetime import datetime

import click

from schemas.printing import print_json, print_line
from schemas.time_option import Moment


@click.command(short_help="Show what changed between two spans of a run.")
@click.option("--run", required=True, help="Name of the run; `murmur runs list` shows them.")
@click.option("--rule", default="", help="Tag of a rule. Default: all tweets of the run.")
@click.option("--from", "start", required=True, type=Moment(), help="Start of the span. UTC.")
@click.option("--to", "end", required=True, type=Moment(), help="End of the span, not in it.")
@click.option(
    "--against",
    nargs=2,
    type=Moment(),
    metavar="FROM TO",
    help="The span to compare with. Default: the time of equal length before --from.",
)
@click.option("--label", help="Label whose move is explained. Default: the one that moved most.")
@click.option(
    "--most",
    default=10,
    show_default=True,
    type=click.IntRange(1, 1_000),
    help="Largest number of words, of hashtags, and so on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def why(
    run: str,
    rule: str,
    start: datetime,
    end: datetime,
    against: tuple[datetime, datetime] | None,
    label: str | None,
    most: int,
    as_json: bool,
) -> None:
    """Show what changed between two spans of a run, by the tweets that are stored.

    Words, hashtags, mentions, links, languages, sources and retweeted tweets whose share moved
    more than chance would move it, with three tweets each, and how much of the label's move they
    explain. Function words, such as "the", are left out for 21 languages. Without --rule, rules
    whose label or number of tweets moved stand before. Retweets count apart, except in rules.
    Deleted tweets are in none of it.
    """
    from retrain.drift.why.chosen_spans import chosen_spans
    from retrain.drift.why.compare_spans import compare_spans
    from retrain.drift.why.display import why_view
    from schemas.known_names import rules_without_tweets
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console
    from schemas.transport.postgres import connect_postgres

    before, after = chosen_spans(start, end, against)
    connection = connect_postgres(load_settings().postgres_connection, "why")
    try:
        for slip in rules_without_tweets(connection, run, [rule]):
            print_line(slip, err=True)
        with connection, connection.cursor() as cur:
            found = compare_spans(
                cur,
                run,
                rule,
                before=before,
                after=after,
                label=label,
                most=most,
            )
    finally:
        connection.close()
    if as_json:
        print_json(found)
    else:
        print_whole(terminal_console(), why_view(found))
