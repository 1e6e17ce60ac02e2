"""Figures as people see them."""

from datetime import UTC, datetime, timedelta

import pytest

from stream_processors.aggregates.schema import Aggregates, SeriesPoint
from stream_processors.queries.display import series_line

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
