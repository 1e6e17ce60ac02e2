"""`murmur data-quality`: what a run's tweets are like, counted by hand beside."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from model_server.known_languages import language_known
from retrain.data_quality.cli import data_quality
from retrain.data_quality.measure import measure, step_for
from schemas.codec import Reason
from schemas.events import Reference, TweetScored
from schemas.settings import Settings
from schemas.transport.dead_letters import DeadLetter, SourcePosition, dead_letter
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.unit.examples import deleted, scored_tweet

START = datetime(2016, 11, 17, tzinfo=UTC)
TEXTS = [
    ("What a day", "en"),
    ("what  a day @bob https://t.co/a", "en-GB"),
    ("@eve What A Day", "en"),
    ("guten Tag zusammen", "de"),
    ("   ", None),
    ("@bob https://t.co/b", "und"),
    ("Something else", "qme"),
]


def some_tweets() -> list[TweetScored]:
    own = [
        scored_tweet(
            "negative" if number % 2 else "positive",
            round(0.5 + number / 20, 4),
            tweet_id=str(100 + number),
            run="r",
            posted_at=START + timedelta(hours=number),
            text=text,
            language=language,
        )
        for number, (text, language) in enumerate(TEXTS)
    ]
    retweet = scored_tweet(
        tweet_id="200",
        run="r",
        posted_at=START + timedelta(hours=7),
        text="RT @x: What a day",
        language="en",
        references=(Reference(kind="retweeted", tweet_id="100"),),
    )
    return [
        msgspec.structs.replace(
            tweet,
            score=msgspec.structs.replace(
                tweet.score, language_known=language_known(tweet.language, ["en"])
            ),
        )
        for tweet in (*own, retweet)
    ]


def command(settings: Settings, *arguments: str) -> Result:
    environment = {"MURMUR_POSTGRES": settings.postgres_uri}
    return CliRunner(env=environment).invoke(data_quality, ["--run", "r", *arguments])


def document(settings: Settings, *arguments: str) -> dict[str, Any]:
    result = command(settings, "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_repeats_empties_and_languages_are_those_that_were_put_in(connection: Connection) -> None:
    store(connection, some_tweets())
    with connection, connection.cursor() as cur:
        found = measure(cur, "r")
    assert (found.tweets, found.retweets) == (8, 1)
    assert (found.start, found.end) == (START, START + timedelta(hours=7, microseconds=1))
    assert (found.duplicates.texts, found.duplicates.repeats) == (3, 2)
    assert [(one.tweets, one.examples) for one in found.duplicates.most_repeated] == [
        (3, ("100", "101", "102"))
    ]
    assert (found.empty.no_text, found.empty.only_links_and_mentions) == (1, 1)
    assert (found.languages.outside, found.languages.not_told) == (1, 3)
    assert [(one.language, one.tweets) for one in found.languages.tweets[:2]] == [
        ("en", 3),
        ("", 1),
    ]
    assert found.by_label == {"negative": 3, "positive": 5}
    assert sum(found.confidence) == 8
    assert found.confidence[5:] == (2, 2, 2, 2, 0)
    assert found.series.step == "hour"
    assert [point.tweets for point in found.series.points] == [1] * 8
    assert found.series.points[0].mean_confidence == 0.5


def test_a_span_has_its_tweets_and_no_others(connection: Connection, settings: Settings) -> None:
    store(connection, some_tweets())
    found = document(settings, "--from", "2016-11-17T01:00", "--to", "2016-11-17T03:00")
    assert found["tweets"] == 2
    assert found["duplicates"]["repeats"] == 1


def test_deleted_tweets_are_in_none_of_it(connection: Connection, settings: Settings) -> None:
    store(connection, some_tweets())
    store(connection, [deleted("101", run="r"), deleted("102", run="r")])
    found = document(settings)
    assert found["tweets"] == 6
    assert found["duplicates"] == {"texts": 3, "repeats": 0, "most_repeated": []}


def test_dead_letters_are_counted_by_reason(connection: Connection, settings: Settings) -> None:
    def letter(number: int, reason: Reason) -> DeadLetter:
        return dead_letter(
            run="r",
            stage="score",
            reason=reason,
            detail="",
            position=SourcePosition("tweets.raw", 0, number, 0),
            key=None,
            value=b"x",
            headers=[],
        )

    reasons = [Reason.NOT_JSON, Reason.NOT_JSON, Reason.TOO_LARGE]
    store(connection, some_tweets(), [letter(n, reason) for n, reason in enumerate(reasons)])
    assert document(settings)["dead_letters"] == [
        {"reason": "not-json", "letters": 2, "waiting": 2},
        {"reason": "too-large", "letters": 1, "waiting": 1},
    ]


def test_unknown_pieces_are_those_of_the_watchs_windows(
    connection: Connection, settings: Settings
) -> None:
    store(connection, some_tweets())
    assert document(settings)["unknown_pieces"] is None
    counted = '{"pieces": 200, "unknown_pieces": 3}'
    late = '{"pieces": 10, "unknown_pieces": 1}'
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS watch_windows (run text, rule text, model_sha256 text,"
            " start timestamptz, on_time json, late json)"
        )
        for rule, start in (("", START), ("x", START), ("", START + timedelta(days=9))):
            cursor.execute(
                "INSERT INTO watch_windows (run, rule, model_sha256, start, on_time, late)"
                " VALUES ('r', %s, 'a', %s, %s, %s)",
                (rule, start, counted, late),
            )
    assert document(settings)["unknown_pieces"] == {"unknown": 4, "pieces": 210}


def test_a_person_sees_it_as_tables(connection: Connection, settings: Settings) -> None:
    store(connection, some_tweets())
    shown = command(settings).stdout
    assert "8 scored tweets, 1 of them retweets" in shown
    assert "100 101 102" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--run", "nobody"), "there is no run 'nobody'"),
        (("--from", "2020-01-01"), "no tweets in this span"),
        (("--from", "2016-11-20", "--to", "2016-11-21"), "no scored tweets"),
        (("--from", "2016-11-20", "--to", "2016-11-19"), "must be later"),
    ],
)
def test_a_wrong_call_says_what_to_do(
    connection: Connection, settings: Settings, arguments: tuple[str, ...], said: str
) -> None:
    store(connection, some_tweets())
    result = command(settings, *arguments)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


@pytest.mark.parametrize(("days", "step"), [(1, "hour"), (30, "day"), (2_000, "week")])
def test_a_series_has_a_bounded_number_of_points(days: int, step: str) -> None:
    assert step_for(timedelta(days=days)) == step
