"""Totals with people's labels: the audited share follows the rows, and every way to read it."""

import json
from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest

from schemas.events import TweetScored
from schemas.people_labels import audit_rank
from schemas.run_changes import touch_runs
from schemas.settings import Settings
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.aggregates import Aggregates, Audited
from stream_processors.aggregates.audit_rows import audits_of
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import parse_window
from tests.integration.reading import NOW, START, cached, run_command, some_tweets
from tests.integration.storing import store
from tests.integration.test_refresher import World
from tests.unit.examples import RECEIVED_AT, deleted, scored_tweet


def label(
    connection: Connection,
    tweets: Iterable[TweetScored],
    people: str | None = None,
    *,
    labeller: str = "ann",
    origin: str = "audit",
) -> None:
    """Let somebody label tweets, with `people` or with what the model says."""
    with connection, connection.cursor() as cursor:
        for tweet in tweets:
            cursor.execute(
                "INSERT INTO labels VALUES (%s, %s, %s, %s, %s, 0, %s, false, %s)",
                (
                    tweet.run,
                    tweet.root_id,
                    tweet.version,
                    labeller,
                    origin,
                    people or tweet.score.label,
                    RECEIVED_AT,
                ),
            )
        touch_runs(cursor, {tweet.run for tweet in tweets})


def figures(connection: Connection, run: str = "archive", window: str = "all") -> Aggregates:
    (found,) = aggregates_of(connection, run, [parse_window(window)], NOW)
    return found


def first_audits(tweets: Iterable[TweetScored], count: int) -> list[TweetScored]:
    return sorted(tweets, key=lambda tweet: audit_rank(tweet.root_id))[:count]


def test_a_stream_that_nobody_labelled_says_so(settings: Settings, connection: Connection) -> None:
    store(connection, some_tweets(30))
    assert figures(connection).audit.audited == Audited.NO
    assert "not audited on this stream" in run_command(settings, "totals").stdout


def test_audits_of_a_window_correct_the_shares_of_all_and_of_each_rule(
    settings: Settings, connection: Connection
) -> None:
    tweets = some_tweets(400)
    store(connection, tweets)
    audits = first_audits(tweets, 120)
    wrong = [tweet for tweet in audits if tweet.score.label == "positive"][::2]
    label(connection, [tweet for tweet in audits if tweet not in wrong])
    label(connection, wrong, "negative")
    found = figures(connection)
    assert (found.audit.audited, found.audit.audits) == (Audited.YES, 120)
    assert (found.audit.audited_days, found.audit.days) == (3, 3)
    counted = {each.label: each.tweets / 400 for each in found.labels}
    shares = {each.label: each for each in found.audit.labels}
    for name, share in shares.items():
        assert share.counted == pytest.approx(counted[name], abs=1e-6)
        assert share.audited is not None
        assert share.audited.audits == 120
    positive, negative = shares["positive"].audited, shares["negative"].audited
    assert positive is not None
    assert negative is not None
    # Half of what is counted as positive is negative to people.
    assert positive.low < counted["positive"] / 2 < positive.high < counted["positive"]
    assert negative.low < counted["negative"] + counted["positive"] / 2 < negative.high
    assert found.audit.accuracy is not None
    assert found.audit.accuracy.share == pytest.approx(1 - len(wrong) / 120, abs=0.03)
    of_rule = {rule.name: rule.audit for rule in found.rules}["weather"]
    in_rule = [tweet for tweet in audits if any(rule.tag == "weather" for rule in tweet.rules)]
    assert (of_rule.audited, of_rule.audits) == (Audited.YES, len(in_rule))
    shown = run_command(settings, "totals", COLUMNS="60").stdout
    assert "±" in shown
    assert "from 120 tweets that they labelled" in " ".join(shown.split())


def test_only_audits_of_the_windows_own_tweets_count(connection: Connection) -> None:
    tweets = some_tweets(200)
    store(connection, tweets)
    label(connection, tweets)
    found = figures(connection, window="1d")
    assert found.start is not None
    inside = sum(tweet.posted_at >= found.start for tweet in tweets)
    assert found.audit.audits == inside == found.tweets
    for share in found.audit.labels:
        assert share.audited is not None
        # Every tweet is audited: people's own count, without a doubt.
        assert share.audited.low == share.audited.high == pytest.approx(share.counted, abs=1e-6)


def test_labels_that_were_chosen_by_somebody_audit_nothing(connection: Connection) -> None:
    tweets = some_tweets(60)
    store(connection, tweets)
    for origin in ("queue", "correction", "import"):
        label(connection, tweets, origin=origin)
    assert figures(connection).audit.audits == 0


def test_a_few_audits_leave_shares_uncorrected(settings: Settings, connection: Connection) -> None:
    tweets = some_tweets(60)
    store(connection, tweets)
    label(connection, tweets[:6])
    assert "uncorrected: 14 more labels" in run_command(settings, "totals").stdout


def test_a_deleted_tweet_takes_its_audit_along(connection: Connection) -> None:
    tweets = some_tweets(50)
    store(connection, tweets)
    label(connection, tweets[:25])
    before = figures(connection).audit
    store(connection, [deleted(tweets[0].tweet_id, run="archive")])
    after = figures(connection).audit
    assert (before.audits, after.audits) == (25, 24)
    assert before.labels != after.labels


def test_an_edit_leaves_the_audit_of_the_older_version_behind(connection: Connection) -> None:
    first = scored_tweet(run="archive", tweet_id="1", edit_history=("1",))
    store(connection, [first])
    label(connection, [first])
    assert figures(connection).audit.audits == 1
    edited = scored_tweet(
        run="archive", tweet_id="2", root_id="1", version=1, edit_history=("1", "2")
    )
    store(connection, [edited])
    assert figures(connection).audit.audits == 0


def test_audits_of_live_are_found_on_their_days(connection: Connection) -> None:
    tweets = [
        scored_tweet(run="live", tweet_id=str(number), posted_at=NOW - timedelta(days=number % 5))
        for number in range(1, 41)
    ]
    store(connection, tweets)
    label(connection, tweets[:30])
    found = figures(connection, "live")
    assert found.audit.audits == 30
    assert (found.audit.audited_days, found.audit.days) == (5, 5)


def test_two_labellers_tell_how_far_people_agree(connection: Connection) -> None:
    tweets = some_tweets(40)
    store(connection, tweets)
    label(connection, tweets)
    label(connection, tweets[:5], "awe", labeller="bob")
    label(connection, tweets[5:20], labeller="bob")
    audit = figures(connection).audit
    assert audit.audits == 35
    assert audit.agreement is not None
    assert (audit.agreement.share, audit.agreement.audits) == (0.75, 20)


def test_labels_reach_redis_though_no_tweet_moves(settings: Settings) -> None:
    world = World(settings)
    tweets = some_tweets(30)
    connection = connect_postgres(settings.postgres_connection, "test")
    store(connection, tweets)
    world.execute("UPDATE runs SET changed_at = clock_timestamp() - interval '1 minute'")
    refresher = world.refresher()
    refresher.round()
    label(connection, tweets)
    connection.close()
    refresher.round()
    held = cached(settings).read("archive", "all")
    assert held is not None
    assert held.audit.audits == 30


def test_a_document_of_a_release_without_audits_counts_as_none(
    settings: Settings, connection: Connection
) -> None:
    store(connection, some_tweets(5))
    cache = cached(settings)
    found = figures(connection)
    cache.write([found])
    document = msgspec.to_builtins(found)
    del document["audit"], document["selection"]
    for rule in document["rules"]:
        del rule["audit"]
    with connect_redis(settings.redis_connection) as client:
        (key,) = client.keys(f"{settings.topic_prefix}murmur:aggregates:archive:*")
        assert cache.read("archive", "all") == found
        client.set(key, msgspec.json.encode(document))
    assert cache.read("archive", "all") is None


def test_the_document_has_these_fields(settings: Settings, connection: Connection) -> None:
    tweets = [
        scored_tweet(
            "positive" if number % 2 else "negative",
            run="archive",
            tweet_id=str(number),
            posted_at=START,
        )
        for number in range(1, 21)
    ]
    store(connection, tweets)
    label(connection, tweets, "negative")
    printed = json.loads(run_command(settings, "totals", "--json").stdout)["aggregates"]
    assert printed["selection"] == {"rules": [], "labels": [], "languages": []}
    half = {"share": 0.5, "low": 0.5, "high": 0.5, "audits": 20}
    assert printed["audit"] == {
        "audited": "yes",
        "audits": 20,
        "audits_missing": 0,
        "audits_missing_for_3_points": 0,
        "audited_days": 1,
        "days": 1,
        "labels": [
            {
                "label": "negative",
                "counted": 0.5,
                "audited": {"share": 1.0, "low": 1.0, "high": 1.0, "audits": 20},
                "recall": half,
            },
            {
                "label": "positive",
                "counted": 0.5,
                "audited": {"share": 0.0, "low": 0.0, "high": 0.0, "audits": 20},
                "recall": None,
            },
        ],
        "accuracy": half,
        "agreement": None,
    }


def test_reading_audits_costs_by_their_number_and_not_by_the_tweets(
    connection: Connection,
) -> None:
    """Each audit is looked up by its key: PostgreSQL must not read all tweets of the run."""
    tweets = some_tweets(3_000)
    store(connection, tweets)
    label(connection, tweets[:50])
    with connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE tweets")
        cursor.execute("SELECT pg_stat_force_next_flush()")
    before = _read_in_sequence(connection)
    with connection, connection.cursor() as cursor:
        assert len(audits_of(cursor, "archive")) == 50
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert _read_in_sequence(connection) == before
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(text) FROM tweets WHERE run = 'archive'")
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert _read_in_sequence(connection) == before + 3_000


def _read_in_sequence(connection: Connection) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read) FROM pg_stat_user_tables"
            " WHERE relname LIKE 'tweets%' OR relname LIKE 'scores%'"
        )
        return int(cursor.fetchall()[0][0])
