"""Totals are what the rows say, whether Redis answers or not."""

import json
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from schemas.events import MatchedRule
from schemas.known_runs import UnknownRun
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.aggregates import Aggregates
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import Window, parse_window
from stream_processors.queries.totals import Totals, read_totals
from stream_processors.retention.run_deletion import delete_run
from tests.integration.reading import NOW, cached, run_command, some_tweets
from tests.integration.storing import store
from tests.recount import differing_language_rollups
from tests.unit.examples import deleted, scored_tweet


def totals(settings: Settings, run: str | None, window: Window, now: datetime) -> Totals:
    return read_totals(
        run,
        window,
        now,
        cache=settings.aggregates_cache,
        connect_redis=lambda: connect_redis(settings.redis_connection),
        lend_postgres=lambda: closing(connect_postgres(settings.postgres_connection, "totals")),
    )


def test_tweets_in_languages_that_the_model_does_not_know_are_counted_apart(
    connection: Connection,
) -> None:
    languages = [("pt", False), ("pt", False), ("fr", False), ("en", True), (None, None)]
    tweets = [
        scored_tweet(run="archive", tweet_id=f"{n}0", language=language, language_known=known)
        for n, (language, known) in enumerate(languages, start=1)
    ]
    store(connection, tweets)
    window = parse_window("all")
    (found,) = aggregates_of(connection, "archive", [window], NOW)
    assert found.unknown_language_tweets == 3
    assert [(each.language, each.tweets) for each in found.unknown_languages] == [
        ("pt", 2),
        ("fr", 1),
    ]
    edit = scored_tweet(
        run="archive",
        root_id="10",
        tweet_id="11",
        version=1,
        edit_history=("10", "11"),
        language="en",
        language_known=True,
    )
    store(connection, [edit, deleted("30", "archive")])
    (found,) = aggregates_of(connection, "archive", [window], NOW)
    assert [(each.language, each.tweets) for each in found.unknown_languages] == [("pt", 1)]
    assert differing_language_rollups(connection) == []
    delete_run(connection, "archive")
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM unknown_language_rollups")
        assert cursor.fetchall() == [(0,)]


@pytest.mark.parametrize("window", ["1h", "1d", "all", "90m", "2d"])
def test_aggregates_equal_a_count_of_the_tweets_themselves(
    connection: Connection, window: str
) -> None:
    tweets = some_tweets(400)
    store(connection, tweets)
    (found,) = aggregates_of(connection, "archive", [parse_window(window)], NOW)
    assert found.start is not None
    assert found.end is not None
    newest = max(tweet.posted_at for tweet in tweets)
    assert found.end - timedelta(minutes=1) <= newest < found.end
    inside = [tweet for tweet in tweets if found.start <= tweet.posted_at < found.end]
    length = parse_window(window).length
    assert len(inside) == 400 if length is None else found.end - found.start == length
    assert found.tweets == len(inside)
    by_label = Counter(tweet.score.label for tweet in inside)
    assert {label.label: label.tweets for label in found.labels} == by_label
    for label in found.labels:
        confidences = [t.score.confidence for t in inside if t.score.label == label.label]
        assert label.mean_confidence == pytest.approx(sum(confidences) / len(confidences), abs=2e-6)
    rules = Counter(rule.tag for tweet in inside for rule in tweet.rules)
    assert {rule.name: rule.tweets for rule in found.rules} == rules
    hashtags = Counter(tag for tweet in inside for tag in tweet.extracted.hashtags)
    expected = sorted(hashtags.items(), key=lambda item: (-item[1], item[0]))[:20]
    assert [(group.name, group.tweets) for group in found.hashtags] == expected
    models = Counter(tweet.score.model.sha256 for tweet in inside)
    assert {model.sha256: model.tweets for model in found.models} == models
    in_series: Counter[str] = Counter()
    for point in found.series:
        in_series.update(point.by_label)
    assert in_series == by_label
    assert len(found.series) <= 200


def test_an_hour_is_told_by_minute(connection: Connection) -> None:
    store(connection, some_tweets(400))
    (found,) = aggregates_of(connection, "archive", [parse_window("1h")], NOW)
    assert found.series_step_s == 60
    assert len(found.series) == 60


def test_the_last_hour_of_live_ends_now(connection: Connection) -> None:
    old = scored_tweet(run="live", tweet_id="1", posted_at=NOW - timedelta(minutes=60))
    fresh = scored_tweet(run="live", tweet_id="2", posted_at=NOW - timedelta(minutes=59))
    store(connection, [old, fresh])
    hour, everything = aggregates_of(
        connection, "live", [parse_window("1h"), parse_window("all")], NOW
    )
    assert (hour.tweets, everything.tweets) == (1, 2)


def test_a_deleted_tweet_leaves_every_figure(connection: Connection) -> None:
    tweets = some_tweets(20)
    store(connection, tweets)
    store(connection, [deleted(tweet.tweet_id, run="archive") for tweet in tweets[1:]])
    (found,) = aggregates_of(connection, "archive", [parse_window("all")], NOW)
    assert found.tweets == 1
    assert [label.label for label in found.labels] == [tweets[0].score.label]
    assert {group.name for group in found.hashtags} == set(tweets[0].extracted.hashtags)


def test_totals_come_from_redis_and_from_postgres_where_redis_has_none(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    day = parse_window("1d")
    first = totals(settings, "archive", day, NOW)
    assert (first.source, first.note) == ("postgres", "Redis does not hold this run")
    cached(settings).write([first.aggregates])
    second = totals(settings, "archive", day, NOW + timedelta(minutes=5))
    assert (second.source, second.note, second.aggregates) == ("redis", "", first.aggregates)
    other = totals(settings, "archive", parse_window("6h"), NOW)
    assert other.source == "postgres"
    assert "only the windows 1h, 1d, all" in other.note


def test_totals_are_answered_without_redis_and_say_so(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    result = run_command(
        settings, "totals", "--run", "archive", MURMUR_REDIS="redis://127.0.0.1:1/0"
    )
    assert result.exit_code == 0
    assert "from PostgreSQL (Redis does not answer)" in result.stdout


@pytest.mark.parametrize("postgres", ["postgresql://x@127.0.0.1:1/x", ""])
def test_a_cached_run_is_told_without_postgres(
    settings: Settings, connection: Connection, postgres: str
) -> None:
    store(connection, some_tweets(5))
    cached(settings).write(aggregates_of(connection, "archive", [parse_window("all")], NOW))
    away = settings.model_copy(update={"postgres": SecretStr(postgres)})
    found = totals(away, "archive", parse_window("all"), NOW)
    assert (found.source, found.aggregates.tweets) == ("redis", 5)


def test_what_another_release_left_in_redis_is_passed_over(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    cache = cached(settings)
    cache.write(aggregates_of(connection, "archive", [parse_window("all")], NOW))
    with connect_redis(settings.redis_connection) as client:
        (key,) = client.keys(f"{settings.topic_prefix}murmur:aggregates:archive:*")
        client.set(key, b'{"of": "another release"}')
    assert cache.read("archive", "all") is None


def test_the_totals_of_nobody_named_are_of_live_or_of_the_last_run(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(2, run="first"))
    store(connection, some_tweets(3, run="second"))
    assert (
        json.loads(run_command(settings, "totals", "--json").stdout)["aggregates"]["run"]
        == "second"
    )
    store(connection, some_tweets(1, run="live"))
    assert "live, window all" in run_command(settings, "totals").stdout


def test_an_unknown_run_is_answered_with_the_known_ones(
    settings: Settings, connection: Connection
) -> None:
    with pytest.raises(UnknownRun, match="no runs yet"):
        totals(settings, None, parse_window("all"), NOW)
    store(connection, some_tweets(1))
    with pytest.raises(UnknownRun, match="there is no run 'archiv'; there are archive"):
        totals(settings, "archiv", parse_window("all"), NOW)


def test_the_table_shows_every_label_and_escapes_what_comes_from_outside(
    settings: Settings, connection: Connection
) -> None:
    rule = MatchedRule(tag="[bold]rain[/]")
    store(connection, [scored_tweet("joy", 0.5, run="archive", rules=(rule,), hashtags=("x",))])
    shown = run_command(settings, "totals", "--run", "archive").stdout
    assert "joy" in shown
    assert "100.0%" in shown
    assert "[bold]rain[/]" in shown


def test_a_window_that_is_none_is_a_wrong_call(settings: Settings) -> None:
    result = run_command(settings, "totals", "--window", "yesterday")
    assert result.exit_code == 2
    assert "30m, 1h, 1d" in result.stderr


def test_figures_survive_the_way_through_redis(settings: Settings, connection: Connection) -> None:
    store(connection, some_tweets(50))
    written: list[Aggregates] = aggregates_of(
        connection, "archive", [parse_window("1h"), parse_window("all")], NOW
    )
    cache = cached(settings)
    cache.write(written)
    assert [cache.read("archive", "1h"), cache.read("archive", "all")] == written
