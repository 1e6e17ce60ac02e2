"""Storing notes which model scores, each time that it is another one."""

from datetime import timedelta

from msgspec.structs import replace

from retrain.promotion.served_models import read_turns
from schemas.events import TweetScored
from schemas.transport.postgres import Connection
from stream_processors.sink.transaction import SinkTransaction
from tests.integration.storing import store
from tests.unit.examples import RECEIVED_AT, scored_tweet


def scored(number: int, by: str, minutes: float, arm: str | None = None) -> TweetScored:
    tweet = scored_tweet(by=by, tweet_id=str(number))
    at = RECEIVED_AT + timedelta(minutes=minutes)
    return replace(tweet, score=replace(tweet.score, scored_at=at, arm=arm))


def test_a_turn_is_noted_where_another_model_scores_and_not_while_two_do(
    connection: Connection,
) -> None:
    sink = SinkTransaction({})
    for batch in (
        [scored(1, "a", 0), scored(2, "a", 1)],
        # One process after the other is started with b.
        [scored(3, "a", 5), scored(4, "b", 5.1), scored(5, "a", 5.2)],
        [scored(6, "a", 6), scored(7, "b", 6)],
        [scored(8, "b", 60)],
        # A split, and what was scored before.
        [scored(9, "c", 61, "challenger"), scored(10, "d", 3)],
        [scored(11, "a", 70)],
    ):
        for _ in range(2):
            store(connection, batch, transaction=sink)
    with connection, connection.cursor() as cur:
        turns = [(turn.name, turn.since - RECEIVED_AT) for turn in read_turns(cur)]
    assert turns == [
        ("a", timedelta()),
        ("b", timedelta(minutes=5.1)),
        ("a", timedelta(minutes=70)),
    ]
