"""Which tweets a challenger scores too, and what is compared of them."""

from collections.abc import Sequence

import numpy as np

from model_server.onnx_engine import Probabilities
from model_server.scorer import Scorer
from retrain.shadow.shadow_batch import ShadowBatch, is_sampled, read_shadow_batch
from schemas.codec import encode, headers_of, key_of
from schemas.events import Event, ModelIdentity, Reference
from schemas.transport.messages import ConsumedMessage
from tests.unit.examples import LABELS, RECEIVED_AT, deleted, model, scored_tweet


class Neutral:
    """Answers `neutral` to every text but the one that it cannot read."""

    labels = LABELS

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        if "unreadable" in texts:
            raise ValueError("a text")
        return np.tile([0.1, 0.7, 0.2], (len(texts), 1))


def challenger(identity: ModelIdentity | None = None) -> Scorer:
    return Scorer(identity or model("b"), Neutral(), cache_size=0, clean=str)


def read(events: Sequence[Event], share: float = 1.0, by: Scorer | None = None) -> ShadowBatch:
    messages = [
        ConsumedMessage("tweets.scored", 0, n, 0, key_of(event), encode(event), headers_of(event))
        for n, event in enumerate(events)
    ]
    return read_shadow_batch(messages, by or challenger(), share=share, now=lambda: RECEIVED_AT)


def test_a_share_of_the_tweets_is_sampled_and_no_retweet() -> None:
    tweets = [scored_tweet(tweet_id=str(10**17 + number)) for number in range(4_000)]
    assert 340 < sum(is_sampled(tweet, 0.1) for tweet in tweets) < 460
    assert all(is_sampled(tweet, 0.2) for tweet in tweets if is_sampled(tweet, 0.1))
    assert all(is_sampled(tweet, 1.0) for tweet in tweets)
    retweet = scored_tweet(references=(Reference(kind="retweeted", tweet_id="10"),))
    assert not is_sampled(retweet, 1.0)


def test_the_challenger_is_compared_with_what_the_model_itself_says() -> None:
    # A decision had another label chosen than the model's own.
    decided = scored_tweet("positive", 0.6)
    decided.score.probabilities.update(negative=0.9, neutral=0.05, positive=0.05)
    (pair,) = read([decided]).pairs
    assert (pair.event.label, pair.event.confidence) == ("negative", 0.9)
    assert (pair.event.challenger.label, pair.event.challenger.model) == ("neutral", model("b"))
    assert pair.flips


def test_what_cannot_be_compared_is_counted_and_the_position_is_behind_it() -> None:
    batch = read(
        [
            scored_tweet(tweet_id="10"),
            scored_tweet(tweet_id="20", text="unreadable"),
            scored_tweet(tweet_id="30", by="b"),
            deleted("40"),
        ]
    )
    assert [pair.tweet.tweet_id for pair in batch.pairs] == ["10"]
    assert +batch.outcomes == {"unscorable": 1, "not-sampled": 1, "removal": 1}
    assert batch.next_offsets == {("tweets.scored", 0): 4}
