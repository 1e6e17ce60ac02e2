"""Figures as people see them."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from stream_processors.aggregates.aggregates import (
    EVERYTHING,
    Aggregates,
    LabelFigures,
    LanguageFigures,
    RuleFigures,
    SeriesPoint,
)
from stream_processors.aggregates.audit_figures import audit_figures
from stream_processors.queries.display import groups_table, series_line, unknown_language_lines

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
        selection=EVERYTHING,
        audit=audit_figures([], {}, {}, {}),
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
        rules=[
            RuleFigures(
                name="rain",
                tweets=8,
                by_label={"cross": 6, "calm": 2},
                audit=audit_figures([], {"cross": 6, "calm": 2}, {}, {}),
            )
        ],
        models=[],
        selection=EVERYTHING,
        audit=audit_figures([], {"cross": 9, "calm": 3}, {}, {}),
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


def in_unknown_languages(**tweets: int) -> str:
    figures = Aggregates(
        run="r",
        window="all",
        start=START,
        end=START + timedelta(minutes=1),
        as_of=START,
        tweets=1_000,
        mean_confidence=0.5,
        labels=[],
        hashtags=[],
        rules=[],
        models=[],
        selection=EVERYTHING,
        audit=audit_figures([], {}, {}, {}),
        series_step_s=60,
        series=[],
        unknown_language_tweets=sum(tweets.values()),
        unknown_languages=[LanguageFigures(language=k, tweets=v) for k, v in tweets.items()],
    )
    return "\n".join(line.plain for line in unknown_language_lines(figures))


def test_tweets_in_languages_that_the_model_does_not_know_are_named() -> None:
    assert in_unknown_languages() == ""
    line = in_unknown_languages(pt=120, fr=5)
    assert line.startswith("125 of these tweets (12.5%) are in languages that the model does not")
    assert "(pt 120, fr 5)" in line
    assert "fifth 1, …)" in in_unknown_languages(
        first=9, second=8, third=7, fourth=6, fifth=1, sixth=1
    )


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
