"""What is stored can be read: totals, runs, export."""

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner, Result
from psycopg2 import sql
from pyarrow import parquet
from pydantic import SecretStr

from schemas.codec import Reason
from schemas.events import MatchedRule, TweetScored
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.dead_letters import SourcePosition, dead_letter
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.cache import AggregatesCache
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.shape import Aggregates
from stream_processors.aggregates.windows import parse_window
from stream_processors.reading import cli
from stream_processors.reading.export import EmptyRun, Format, export_run
from stream_processors.reading.known_runs import UnknownRun
from stream_processors.reading.run_deletion import RunIsBusy, delete_run
from stream_processors.reading.totals import read_totals
from tests.integration.storing import arrived_now, store
from tests.unit.examples import deleted, scored_tweet

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
START = datetime(2016, 11, 17, tzinfo=UTC)
RULES = ("weather", "football")
HASHTAGS = tuple(f"tag{number:02}" for number in range(30))


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings, "test")
    yield connection
    connection.close()


def some_tweets(count: int, run: str = "archive", seed: int = 1) -> list[TweetScored]:
    """Return tweets over three days, of two models, with rules and hashtags."""
    rng = random.Random(seed)
    texts = ["plain", "=1+1", "two\nlines", 'a "quote", a comma', "ünï 😀"]
    return [
        scored_tweet(
            rng.choice(["positive", "negative", "neutral"]),
            round(rng.uniform(0.4, 1), 4),
            by=rng.choice("ab"),
            hashtags=tuple(rng.sample(HASHTAGS, rng.randint(0, 2))),
            run=run,
            tweet_id=str(10_000 + number),
            posted_at=START + timedelta(seconds=rng.randrange(3 * 86_400)),
            text=rng.choice(texts),
            rules=tuple(MatchedRule(tag=rule) for rule in rng.sample(RULES, rng.randint(0, 2))),
        )
        for number in range(count)
    ]


def run_command(settings: Settings, *arguments: str, **changes: str) -> Result:
    """Call a reading command as a person does, in this process."""
    commands = {"totals": cli.totals, "runs": cli.runs, "export": cli.export}
    name, *rest = arguments
    environment = {
        "MURMUR_POSTGRES": settings.postgres_uri,
        "MURMUR_REDIS": settings.redis_uri,
        "MURMUR_TOPIC_PREFIX": settings.topic_prefix,
    }
    return CliRunner(env={**environment, **changes}).invoke(commands[name], rest)


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


def cached(settings: Settings) -> AggregatesCache:
    return AggregatesCache(connect_redis(settings), settings.topic_prefix, settings.cache_ttl_s)


def test_totals_come_from_redis_and_from_postgres_where_redis_has_none(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    day = parse_window("1d")
    first = read_totals(settings, "archive", day, NOW)
    assert (first.source, first.note) == ("postgres", "Redis does not hold this run")
    cached(settings).write([first.aggregates])
    second = read_totals(settings, "archive", day, NOW + timedelta(minutes=5))
    assert (second.source, second.note, second.aggregates) == ("redis", "", first.aggregates)
    other = read_totals(settings, "archive", parse_window("6h"), NOW)
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


def test_a_cached_run_is_told_without_postgres(settings: Settings, connection: Connection) -> None:
    store(connection, some_tweets(5))
    cached(settings).write(aggregates_of(connection, "archive", [parse_window("all")], NOW))
    away = settings.model_copy(update={"postgres": SecretStr("postgresql://x@127.0.0.1:1/x")})
    found = read_totals(away, "archive", parse_window("all"), NOW)
    assert (found.source, found.aggregates.tweets) == ("redis", 5)


def test_what_another_release_left_in_redis_is_passed_over(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    cache = cached(settings)
    cache.write(aggregates_of(connection, "archive", [parse_window("all")], NOW))
    with connect_redis(settings) as client:
        (key,) = client.keys(f"{settings.topic_prefix}murmur:aggregates:archive:*")
        client.set(key, b'{"of": "another release"}')
    assert cache.read("archive", "all") is None


def test_the_totals_of_nobody_named_are_of_live_or_of_the_last_run(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(2, run="first"))
    store(connection, some_tweets(3, run="second"))
    assert json.loads(run_command(settings, "totals", "--json").stdout)["aggregates"][
        "run"
    ] == "second"  # fmt: skip
    store(connection, some_tweets(1, run="live"))
    assert "live, window all" in run_command(settings, "totals").stdout


def test_an_unknown_run_is_answered_with_the_known_ones(
    settings: Settings, connection: Connection
) -> None:
    with pytest.raises(UnknownRun, match="no runs yet"):
        read_totals(settings, None, parse_window("all"), NOW)
    store(connection, some_tweets(1))
    with pytest.raises(UnknownRun, match="there is no run 'archiv'; there are archive"):
        read_totals(settings, "archiv", parse_window("all"), NOW)


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


def test_runs_are_listed_with_their_figures(settings: Settings, connection: Connection) -> None:
    assert json.loads(run_command(settings, "runs", "list", "--json").stdout) == {"runs": []}
    tweets = some_tweets(30)
    store(connection, tweets)
    letter = dead_letter(
        run="archive", stage="replay", reason=Reason.NOT_JSON, detail="", headers=[], key=None,
        value=b"{", position=SourcePosition("file:x", 0, 1),
    )  # fmt: skip
    store(connection, [deleted("10001", run="archive"), deleted("77", run="archive")], [letter])
    (listed,) = json.loads(run_command(settings, "runs", "list", "--json").stdout)["runs"]
    assert (listed["run"], listed["kind"], listed["tweets"]) == ("archive", "replay", 29)
    assert (listed["deletions"], listed["dead_letters"]) == (2, 1)
    rest = Counter(tweet.score.label for tweet in tweets if tweet.tweet_id != "10001")
    assert listed["labels"] == rest
    assert listed["changed_at"] is not None
    assert "archive" in run_command(settings, "runs", "list").stdout


def rows_about(connection: Connection, run: str) -> int:
    tables = (
        "runs", "tweets", "scores", "rollups", "hashtag_rollups", "tombstones", "dead_letters",
        "replay_files",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        total = 0
        for table in tables:
            statement = sql.SQL("SELECT count(*) FROM {} WHERE run = %s")
            cursor.execute(statement.format(sql.Identifier(table)), (run,))
            total += cursor.fetchall()[0][0]
    return total


def test_a_deleted_run_is_gone_whole_and_others_stay(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(20, run="kept"))
    store(connection, [*some_tweets(20), deleted("10001", run="archive")])
    kept = rows_about(connection, "kept")
    cached(settings).write(aggregates_of(connection, "archive", [parse_window("all")], NOW))
    result = run_command(settings, "runs", "delete", "archive", "--yes")
    assert result.exit_code == 0, result.output
    assert rows_about(connection, "archive") == 0
    assert rows_about(connection, "kept") == kept
    assert cached(settings).read("archive", "all") is None


def test_events_from_before_a_deletion_stay_away_and_later_ones_count(
    connection: Connection,
) -> None:
    tweets = some_tweets(10)
    store(connection, tweets)
    delete_run(connection, "archive")
    store(connection, tweets)
    assert rows_about(connection, "archive") == 0
    store(connection, arrived_now(tweets))
    (found,) = aggregates_of(connection, "archive", [parse_window("all")], NOW)
    assert found.tweets == 10


def test_a_replay_that_was_noted_but_never_stored_can_be_deleted(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO replay_files (run, file_sha256, file_name) VALUES ('early', 'x', 'x')"
        )
    delete_run(connection, "early")
    assert rows_about(connection, "early") == 0
    with pytest.raises(UnknownRun):
        delete_run(connection, "early")


def test_a_deletion_that_gets_no_locks_says_so_and_deletes_nothing(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    before = rows_about(connection, "archive")
    reader = connect_postgres(settings, "reader")
    try:
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tweets WHERE run = 'archive'")
            with pytest.raises(RunIsBusy, match="nothing was deleted"):
                delete_run(connection, "archive", attempts=1)
    finally:
        reader.close()
    assert rows_about(connection, "archive") == before


def test_nothing_is_deleted_without_a_yes_and_live_needs_more_than_that(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(1, run="live"))
    unasked = run_command(settings, "runs", "delete", "live", "--really-live")
    assert unasked.exit_code == 2
    assert "--yes" in unasked.stderr
    refused = run_command(settings, "runs", "delete", "live", "--yes")
    assert refused.exit_code == 1
    assert "--really-live" in str(refused.exception)
    assert rows_about(connection, "live") > 0
    assert run_command(settings, "runs", "delete", "live", "--yes", "--really-live").exit_code == 0
    assert rows_about(connection, "live") == 0


def exported(connection: Connection, form: Format, path: Path) -> bytes:
    export_run(connection, "archive", form, path)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "ids"])
def test_the_same_data_gives_the_same_bytes_however_it_arrived(
    connection: Connection, tmp_path: Path, form: Format
) -> None:
    tweets = some_tweets(300)
    store(connection, tweets)
    first = exported(connection, form, tmp_path / "first")
    delete_run(connection, "archive")
    tweets = arrived_now(tweets)
    for start in range(0, 300, 50):
        store(connection, tweets[::-1][start : start + 50])
    store(connection, tweets)
    assert exported(connection, form, tmp_path / "second") == first
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}


def test_an_export_holds_every_tweet_by_day_and_id(connection: Connection, tmp_path: Path) -> None:
    tweets = sorted(some_tweets(50), key=lambda tweet: (tweet.day, tweet.root_id))
    store(connection, tweets)
    lines = [
        json.loads(line) for line in exported(connection, "jsonl", tmp_path / "x").splitlines()
    ]
    assert [line["tweet_id"] for line in lines] == [tweet.tweet_id for tweet in tweets]
    for line, tweet in zip(lines, tweets, strict=True):
        assert line["text"] == tweet.text
        assert line["label"] == tweet.score.label
        assert line["probabilities"] == tweet.score.probabilities
        assert line["model_sha256"] == tweet.score.model.sha256
        assert datetime.fromisoformat(line["posted_at"]) == tweet.posted_at


def test_every_format_tells_the_same(connection: Connection, tmp_path: Path) -> None:
    store(connection, some_tweets(50))
    lines = [
        json.loads(line) for line in exported(connection, "jsonl", tmp_path / "x").splitlines()
    ]
    text = exported(connection, "csv", tmp_path / "x.csv").decode()
    cells = list(csv.DictReader(io.StringIO(text, newline="")))
    exported(connection, "parquet", tmp_path / "x.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    for line, cell, row in zip(lines, cells, rows, strict=True):
        assert cell["text"].removeprefix("'") == row["text"] == line["text"]
        assert float(cell["probability_positive"]) == line["probabilities"]["positive"]
        assert row["probability_positive"] == line["probabilities"]["positive"]
        assert json.loads(cell["hashtags"]) == row["hashtags"] == line["hashtags"]
        assert row["posted_at"] == datetime.fromisoformat(line["posted_at"])
    ids = exported(connection, "ids", tmp_path / "ids").decode().split()
    assert ids == [line["tweet_id"] for line in lines]


def test_standard_output_gets_the_bytes_that_a_file_gets(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, some_tweets(20))
    result = run_command(settings, "export", "--run", "archive")
    assert result.stdout_bytes == exported(connection, "jsonl", tmp_path / "x")


def test_an_empty_or_unknown_run_leaves_the_file_that_was_there(
    connection: Connection, tmp_path: Path
) -> None:
    store(connection, [scored_tweet(run="archive"), deleted(run="archive")])
    path = tmp_path / "tweets.jsonl"
    path.write_text("precious")
    with pytest.raises(EmptyRun, match="no tweets"):
        export_run(connection, "archive", "jsonl", path)
    with pytest.raises(UnknownRun):
        export_run(connection, "nothing", "jsonl", path)
    assert path.read_text() == "precious"


def test_an_export_that_breaks_off_leaves_the_file_that_was_there(
    settings: Settings, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(connection, some_tweets(3_000))
    path = tmp_path / "tweets.jsonl"
    path.write_text("precious")

    def end_of_connection(rows: Iterator[Any]) -> Iterator[bytes]:
        yield str(next(rows)).encode()
        administrator = connect_postgres(settings, "test")
        with administrator, administrator.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        administrator.close()
        for row in rows:
            yield str(row).encode()

    monkeypatch.setattr(
        "stream_processors.reading.export.json_lines", lambda rows: end_of_connection(iter(rows))
    )
    with pytest.raises(psycopg2.Error):
        export_run(connection, "archive", "jsonl", path)
    assert [found.name for found in tmp_path.iterdir()] == ["tweets.jsonl"]
    assert path.read_text() == "precious"


def test_formats_that_do_not_go_together_are_wrong_calls(settings: Settings) -> None:
    parquet_to_stdout = run_command(settings, "export", "--run", "x", "--format", "parquet")
    assert (parquet_to_stdout.exit_code, "--output" in parquet_to_stdout.stderr) == (2, True)
    both = run_command(settings, "export", "--run", "x", "--format", "csv", "--ids-only")
    assert both.exit_code == 2


def test_figures_survive_the_way_through_redis(settings: Settings, connection: Connection) -> None:
    store(connection, some_tweets(50))
    written: list[Aggregates] = aggregates_of(
        connection, "archive", [parse_window("1h"), parse_window("all")], NOW
    )
    cache = cached(settings)
    cache.write(written)
    assert [cache.read("archive", "1h"), cache.read("archive", "all")] == written
