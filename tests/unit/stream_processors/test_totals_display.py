"""Figures as people see them."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from stream_processors.aggregates.aggregates import Aggregates, Grouped, LabelFigures, SeriesPoint
from stream_processors.queries.display import groups_table, series_line

START = datetime(2026, 11, 21, tzinfo=UTC)


def sparks(*tweets: int) -> str:
    figures = Aggregates(
        run="r",
        window="all",
        start=START,
        end=START + timedelta(minutes=len(tweets)),
        as_of=START,
        tweets=sum(tweets),
        mean_confidence=None,
        labels=[],
        hashtags=[],
        rules=[],
        models=[],
        series_step_s=60,
        series=[
            SeriesPoint(start=START, by_label={"positive": count} if count else {})
            for count in tweets
        ],
    )
    return series_line(figures).plain.split("\n")[1]


def test_rules_and_hashtags_show_the_shares_of_their_labels() -> None:
    figures = Aggregates(
        run="r",
        window="all",
        start=START,
        end=START + timedelta(minutes=1),
        as_of=START,
        tweets=12,
        mean_confidence=0.5,
        labels=[
            LabelFigures(label="cross", tweets=9, mean_confidence=0.5),
            LabelFigures(label="calm", tweets=3, mean_confidence=0.5),
        ],
        hashtags=[],
        rules=[Grouped(name="rain", tweets=8, by_label={"cross": 6, "calm": 2})],
        models=[],
        series_step_s=60,
        series=[],
    )
    console = Console(width=100, file=io.StringIO())
    console.print(groups_table("rule", figures.rules, figures))
    assert isinstance(console.file, io.StringIO)
    heading, row = console.file.getvalue().splitlines()
    assert heading.split() == ["rule", "tweets", "cross", "calm"]
    assert row.split()[0] == "rain"
    assert row.split()[-3:] == ["8", "75%", "25%"]


@pytest.mark.parametrize(
    ("tweets", "line"),
    [
        ((1, 0, 1), "█ █"),
        ((1, 2, 3), "▃▆█"),
        ((1, 500, 1_000), "▁▄█"),
        ((1, 2, 3, 4, 5, 6, 7, 8), "▁▂▃▄▅▆▇█"),
    ],
)
def test_the_most_is_a_full_bar_and_a_single_tweet_is_seen(
    tweets: tuple[int, ...], line: str
) -> None:
    assert sparks(*tweets) == line
