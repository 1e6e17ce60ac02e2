"""A challenger beside the stream: each sampled tweet once, also after kills, and none removed."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from model_server.scorer import scorer_of
from retrain.labels.queue.disagreements import draw_disagreements
from retrain.shadow.shadow_batch import is_sampled, read_shadow_batch
from retrain.shadow.shadow_store import ShadowTransaction
from schemas.codec import encode, headers_of, key_of
from schemas.events import AuthorErased, MatchedRule, TweetScored
from schemas.settings import Settings
from schemas.shadow_events import decode_shadowed
from schemas.topics import SHADOW
from schemas.transport.messages import ConsumedMessage
from schemas.transport.postgres import Connection
from stream_processors.retention.run_deletion import delete_run
from tests.conditions import wait_until
from tests.integration.replay_runs import messages
from tests.integration.storing import store
from tests.integration.test_sink import publish
from tests.keyword_bundle import keyword_bundle
from tests.stack import MURMUR, process_environment
from tests.unit.examples import RECEIVED_AT, deleted, scored_tweet

WORDS: Final = {"fine": "positive", "so": "neutral", "poor": "negative"}
KILLS: Final = 2


def tweets_of(count: int, first: int = 0) -> list[TweetScored]:
    """Tweets that the serving model finds positive; the challenger does where `fine` stands."""
    return [
        scored_tweet(
            "positive",
            tweet_id=str(800000000000000000 + number),
            text=f"{'fine' if number % 4 else 'poor'} {number}",
            author_id=str(number % 10),
            rules=(MatchedRule(tag="cats"),) if number % 2 else (),
        )
        for number in range(first, first + count)
    ]


@contextmanager
def shadowing(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [MURMUR, "shadow", "--probe-port", "0"],
            env=process_environment(settings),
            stderr=output,
        ) as process,
    ):
        try:
            yield process
            process.terminate()
            assert process.wait(timeout=30) in (0, -9), log.read_text()
        finally:
            process.kill()


def rows(connection: Connection, statement: str, *values: object) -> list[Any]:
    with connection, connection.cursor() as cur:
        cur.execute(statement, values or None)
        return [row[0] for row in cur]


def command(settings: Settings, *arguments: str) -> Any:
    done = subprocess.run(
        [MURMUR, *arguments, "--json"],
        env=process_environment(settings),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_challenger_is_compared_once_for_each_sampled_tweet_and_never_for_removed_ones(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    bundle = keyword_bundle(tmp_path / "challenger", WORDS, name="challenger")
    own = settings.model_copy(
        update={"shadow_model": bundle.folder, "shadow_share": 0.5, "score_window": 40}
    )
    log = tmp_path / "log"
    tweets = tweets_of(1_000)
    sampled = {tweet.root_id for tweet in tweets if is_sampled(tweet, 0.5)}
    gone = next(tweet for tweet in tweets if tweet.root_id in sampled)
    store(connection, [*tweets[1:300], deleted(gone.root_id)])
    sampled.discard(gone.root_id)
    ids = "SELECT root_id FROM shadow_scores ORDER BY root_id"
    publish(settings, tweets)
    for kill in range(1, KILLS + 1):
        with shadowing(own, log) as process:
            some = len(sampled) * kill // (KILLS + 2)
            wait_until(lambda some=some: len(rows(connection, ids)) >= some, 90, "some rows")  # type: ignore[misc]
            process.kill()
    with shadowing(own, log):
        wait_until(lambda: len(rows(connection, ids)) == len(sampled), 90, "all rows")
        publish(settings, tweets[:50])
        more = tweets_of(100, first=1_000)
        publish(settings, more)
        sampled |= {tweet.root_id for tweet in more if is_sampled(tweet, 0.5)}
        wait_until(lambda: len(rows(connection, ids)) >= len(sampled), 90, "the others")
    assert set(rows(connection, ids)) == sampled
    published = {
        (event.root_id, event.label, event.challenger.label)
        for event in (decode_shadowed(message.value() or b"") for message in messages(own, SHADOW))
    }
    # What is removed afterwards stays in the topic until that expires, as in the others.
    assert {root_id for root_id, *_ in published} >= sampled
    assert {(label, answer) for _, label, answer in published} == {
        ("positive", "positive"),
        ("positive", "negative"),
    }

    found = command(own, "models", "compare", "--run", "test")
    flips = [root_id for root_id in sampled if int(root_id) % 4 == 0]
    assert (found["tweets"], found["flips"]) == (len(sampled), len(flips))
    assert {each["rule"] for each in found["shares"]} == {"", "cats"}
    # No even number is of the rule, and only those divided by four flip.
    assert all(each["change"]["value"] == 0 for each in found["shares"] if each["rule"] == "cats")
    assert found["labelled_flips"]["missing"] == 20

    with connection, connection.cursor() as cur:
        drawn = draw_disagreements(cur, "test", 30, rule=None, **_ALL_DAYS)
        cur.executemany(
            "INSERT INTO labels VALUES ('test', %s, 0, 'ann', %s, 0, %s, %s, now())",
            [
                *((each.root_id, each.origin, "negative", False) for each in drawn[:24]),
                # Chosen by somebody, or with the answer in sight: they tell nothing.
                (drawn[24].root_id, "correction", "positive", False),
                (drawn[25].root_id, "queue", "positive", True),
            ],
        )
    stored = {tweet.root_id for tweet in tweets[1:300]}
    assert {each.root_id for each in drawn} <= stored & set(flips)
    labelled = command(own, "models", "compare", "--run", "test")["labelled_flips"]
    assert (labelled["labelled"], labelled["serving_right"], labelled["challenger_right"]) == (
        24,
        0,
        24,
    )
    assert labelled["accuracy_change"]["value"] > 0.2

    # One that the sink has stored, one that it has not, and all of an author.
    ahead = next(t for t in more if t.root_id in sampled and t.author_id != "3")
    known = drawn[0].root_id
    erased = AuthorErased(run="test", author_id="3", received_at=RECEIVED_AT, source="test")
    store(connection, [deleted(known), deleted(ahead.root_id), erased])
    left = set(rows(connection, ids))
    assert {known, ahead.root_id}.isdisjoint(left)
    assert left == {root for root in sampled - {known, ahead.root_id} if int(root) % 10 != 3}
    delete_run(connection, "test")
    assert rows(connection, ids) == []


_ALL_DAYS: Final = {"first_day": RECEIVED_AT.date().min, "last_day": RECEIVED_AT.date().max}


def test_a_flip_that_is_refused_or_repeated_is_counted_once_or_not_at_all(
    connection: Connection, tmp_path: Path
) -> None:
    challenger = scorer_of(keyword_bundle(tmp_path / "challenger", WORDS), cache_size=0)
    tweets = [
        scored_tweet("positive", tweet_id=str(900 + number), text=f"poor {number}")
        for number in range(10)
    ]
    store(connection, [deleted("900")])
    read = [
        ConsumedMessage("tweets.scored", 0, n, 0, key_of(tweet), encode(tweet), headers_of(tweet))
        for n, tweet in enumerate(tweets)
    ]
    batch = read_shadow_batch(read, challenger, share=1.0, now=lambda: RECEIVED_AT)
    assert sum(pair.flips for pair in batch.pairs) == 10
    transaction = ShadowTransaction({"tweets.scored": "topic-id"})
    assert transaction.store(connection, batch).flips == 9
    assert transaction.store(connection, batch).flips == 0
