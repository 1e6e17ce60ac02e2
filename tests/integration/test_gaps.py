"""`murmur gaps`: what was missed is fetched once, with its rules, as X and the guard allow."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events import TweetPosted
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.integration.live_stream import TOKEN, rows
from tests.integration.replay_runs import raw_events
from tests.stack import MURMUR, process_environment
from tests.x_server.server import FakeX
from tests.x_server.vocabularies import NEW, OLD, Dialect

NOW = datetime.now(UTC)
HOURS = timedelta(hours=1)


@pytest.fixture
def x(x: FakeX) -> FakeX:
    """A fake X with two rules."""
    x.corpus.add_rule("cats", "about cats")
    x.corpus.add_rule("dogs", "about dogs")
    return x


def add_gap(settings: Settings, begins: datetime, ends: datetime | None) -> None:
    connection = connect_postgres(settings.postgres_connection, "test")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO stream_gaps (from_at, to_at, reason) VALUES (%s, %s, 'test')",
                (begins, ends),
            )
    finally:
        connection.close()


def gaps(settings: Settings, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [MURMUR, "gaps", *arguments, "--json"],
        env=process_environment(settings),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr.decode()
    assert TOKEN not in ended.stderr.decode()
    found: list[dict[str, Any]] = json.loads(ended.stdout)["gaps"]
    return found


def posts_of(settings: Settings) -> dict[str, list[str]]:
    return {
        event.tweet_id: sorted(rule.tag for rule in event.rules)
        for event in raw_events(settings)
        if isinstance(event, TweetPosted)
    }


def test_a_gap_is_refilled_with_all_rules_that_match_and_only_once(
    x: FakeX, to_x: Settings
) -> None:
    begins = NOW - 3 * HOURS
    cats = [x.corpus.post("cats", at=begins + timedelta(seconds=n)) for n in range(230)]
    both = x.corpus.post("cats dogs", at=begins + HOURS)
    outside = x.corpus.post("cats", at=begins + 2 * HOURS)
    other = x.corpus.post("birds", at=begins + timedelta(minutes=1))
    add_gap(to_x, begins, begins + HOURS)
    (done,) = gaps(to_x, "refill")
    assert (done["status"], done["posts"]) == ("refilled", 231)
    found = posts_of(to_x)
    assert set(found) == {post.tweet_id for post in [*cats, both]}
    assert found[both.tweet_id] == ["about cats", "about dogs"]
    assert {event.source for event in raw_events(to_x)} == {"x-v2:recent-search"}
    assert not {outside.tweet_id, other.tweet_id} & set(found)
    (known,) = gaps(to_x, "list")
    assert (known["status"], known["posts_refilled"]) == ("refilled", 231)
    asked = len(x.asked)
    assert gaps(to_x, "refill") == []
    assert len(x.asked) == asked


@pytest.mark.parametrize(
    "dialect",
    [NEW, OLD, replace(NEW, refuses=True), replace(OLD, refuses=True)],
    ids=["posts", "tweets", "posts alone", "tweets alone"],
)
def test_a_gap_is_refilled_whole_in_whichever_vocabulary_x_searches(
    dialect: Dialect, x: FakeX, to_x: Settings
) -> None:
    x.search_dialect = dialect
    begins = NOW - 3 * HOURS
    whole = "cats " + "and a whole sentence about them " * 12 + "to its end"
    original = x.corpus.post(whole, at=begins + timedelta(minutes=1))
    repost = x.corpus.post(whole, at=begins + timedelta(minutes=2), repeats=original)
    first = x.corpus.post("cats first", at=begins + timedelta(minutes=3))
    second = x.corpus.post("cats second", at=begins + timedelta(minutes=4), edits=first)
    add_gap(to_x, begins, begins + HOURS)
    (done,) = gaps(to_x, "refill")
    assert (done["status"], done["posts"], done["detail"]) == ("refilled", 4, "")
    found = {event.tweet_id: event for event in raw_events(to_x) if isinstance(event, TweetPosted)}
    assert {tweet_id: event.text for tweet_id, event in found.items()} == {
        post.tweet_id: post.text for post in (original, repost, first, second)
    }
    assert [ref.tweet_id for ref in found[repost.tweet_id].references] == [original.tweet_id]
    assert (found[second.tweet_id].root_id, found[second.tweet_id].version) == (first.tweet_id, 1)


def test_what_x_gives_in_no_vocabulary_is_said_with_the_gap(x: FakeX, to_x: Settings) -> None:
    x.search_dialect = replace(NEW, expansion="something.else")
    begins = NOW - 3 * HOURS
    original = x.corpus.post("birds", at=begins)
    x.corpus.post("cats", at=begins + timedelta(minutes=1), repeats=original)
    add_gap(to_x, begins, begins + HOURS)
    (done,) = gaps(to_x, "refill")
    assert done["status"] == "refilled"
    assert done["detail"] == "X gave posts without what was asked for: reposted_text (1)"


def test_what_gaps_have_in_common_is_read_once(x: FakeX, to_x: Settings) -> None:
    begins = NOW - 3 * HOURS
    for n in range(10):
        x.corpus.post("cats", at=begins + timedelta(minutes=n))
    add_gap(to_x, begins, begins + timedelta(minutes=7))
    add_gap(to_x, begins + timedelta(minutes=3), begins + timedelta(minutes=20))
    first, second = gaps(to_x, "refill")
    assert (first["posts"], second["posts"]) == (8, 2)
    assert {first["status"], second["status"]} == {"refilled"}


def test_what_x_no_longer_has_is_said(x: FakeX, to_x: Settings) -> None:
    add_gap(to_x, NOW - timedelta(days=9), NOW - timedelta(days=8))
    add_gap(to_x, NOW - timedelta(days=7, hours=1), NOW - timedelta(days=6, hours=23))
    kept = x.corpus.post("cats", at=NOW - timedelta(days=6, hours=23, minutes=30))
    expired, partly = gaps(to_x, "refill")
    assert expired["status"] == "expired"
    assert (partly["status"], partly["posts"]) == ("partly", 1)
    assert set(posts_of(to_x)) == {kept.tweet_id}


def test_a_rule_that_x_does_not_search_with_is_named_and_the_others_are_searched(
    x: FakeX, to_x: Settings
) -> None:
    x.search_refuses.add("cats")
    begins = NOW - 3 * HOURS
    x.corpus.post("cats", at=begins + timedelta(minutes=1))
    dogs = x.corpus.post("dogs", at=begins + timedelta(minutes=2))
    add_gap(to_x, begins, begins + timedelta(minutes=10))
    (done,) = gaps(to_x, "refill")
    assert (done["status"], done["posts"]) == ("partly", 1)
    assert done["detail"] == (
        "not searched: about cats (X refuses with 400: the query is too long)"
    )
    assert set(posts_of(to_x)) == {dogs.tweet_id}


def test_a_gap_that_lasts_stays_open(to_x: Settings) -> None:
    add_gap(to_x, NOW - HOURS, None)
    (done,) = gaps(to_x, "refill", code=1)
    assert done["status"] == "open"


def test_the_spend_guard_holds_a_refill_too_and_it_goes_on_where_it_was(
    x: FakeX, to_x: Settings
) -> None:
    begins = NOW - 3 * HOURS
    for n in range(60):
        x.corpus.post("cats", at=begins + timedelta(minutes=n))
    add_gap(to_x, begins, begins + HOURS)
    limited = to_x.model_copy(update={"x_monthly_posts": 20})
    (done,) = gaps(limited, "refill", code=1)
    assert (done["status"], "limit" in done["detail"]) == ("open", True)
    assert len(posts_of(to_x)) == done["posts"] < 60
    (rest,) = gaps(to_x, "refill")
    assert rest["status"] == "refilled"
    assert done["posts"] + rest["posts"] == len(posts_of(to_x)) == 60


def test_the_guard_looks_before_every_page_and_counts_each_at_once(
    x: FakeX, to_x: Settings
) -> None:
    begins = NOW - 3 * HOURS
    for n in range(250):
        x.corpus.post("cats", at=begins + timedelta(seconds=n))
    add_gap(to_x, begins, begins + timedelta(minutes=5))
    limited = to_x.model_copy(update={"x_monthly_posts": 150})
    (done,) = gaps(limited, "refill", code=1)
    assert (done["status"], done["posts"]) == ("open", 0)
    assert rows(to_x, "SELECT sum(posts) FROM posts_read") == [(200,)]
    (rest,) = gaps(to_x, "refill")
    assert (rest["status"], rest["posts"]) == ("refilled", 250)
    assert rows(to_x, "SELECT sum(posts) FROM posts_read") == [(450,)]


def test_what_was_read_before_x_failed_is_counted(x: FakeX, to_x: Settings) -> None:
    begins = NOW - 3 * HOURS
    for n in range(150):
        x.corpus.post("cats", at=begins + timedelta(seconds=n))
    add_gap(to_x, begins, begins + timedelta(minutes=5))
    x.search_forbidden_after = 1
    failed = subprocess.run(
        [MURMUR, "gaps", "refill"],
        env=process_environment(to_x),
        capture_output=True,
        check=False,
    )
    assert failed.returncode == 1
    assert rows(to_x, "SELECT sum(posts) FROM posts_read") == [(100,)]
    assert rows(to_x, "SELECT status FROM stream_gaps") == [("open",)]


def test_a_gap_that_x_refuses_to_search_with_any_rule_stays_open(x: FakeX, to_x: Settings) -> None:
    x.search_refuses |= {"cats", "dogs"}
    add_gap(to_x, NOW - 3 * HOURS, NOW - 2 * HOURS)
    refused = subprocess.run(
        [MURMUR, "gaps", "refill"],
        env=process_environment(to_x),
        capture_output=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "X searches with none of the rules (X refuses with 400: the query is too long)" in (
        refused.stderr.decode()
    )
    assert rows(to_x, "SELECT status, refilled_until FROM stream_gaps") == [("open", None)]


def test_an_unknown_gap_is_named(to_x: Settings) -> None:
    ended = subprocess.run(
        [MURMUR, "gaps", "refill", "77"],
        env=process_environment(to_x),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "there is no gap 77" in ended.stderr.decode()
