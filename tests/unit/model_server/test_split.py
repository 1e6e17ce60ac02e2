"""Several models share the tweets once all of them are ready, and never before."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from model_server.bundle import RefusedBundle
from model_server.bundle_store import BundleUnavailable
from model_server.onnx_engine import Probabilities
from model_server.scorer import Scorer
from model_server.split import Challengers
from schemas.events import Reference
from schemas.failures import Failure
from schemas.model_events import ALL_WEIGHTS, ModelPromoted, PromotedModel
from tests.conditions import wait_until
from tests.unit.examples import LABELS, model, posted


class Silent:
    labels = LABELS

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        raise AssertionError(f"nothing is scored here, nor {texts}")


def scorer(letter: str) -> Scorer:
    return Scorer(model(letter), Silent(), cache_size=0, clean=str)


def event(challenger: str | None = "b", weight: int = 1_000) -> ModelPromoted:
    def named(letter: str, share: int) -> PromotedModel:
        of = model(letter)
        return PromotedModel(
            name=of.name,
            version=of.version,
            sha256=of.sha256,
            cleaning=of.cleaning,
            address=f"/{letter}",
            weight=share,
        )

    models = (
        (named("a", ALL_WEIGHTS),)
        if challenger is None
        else (named("a", ALL_WEIGHTS - weight), named(challenger, weight))
    )
    return ModelPromoted(
        promotion_id="1",
        models=models,
        salt="salt",
        decision="a test",
        promoted_at=datetime(2026, 11, 28, tzinfo=UTC),
    )


class Places:
    def __init__(self) -> None:
        self.faults: dict[str, Failure] = {}
        self.loads: list[str] = []

    def load(self, wanted: PromotedModel) -> Scorer:
        self.loads.append(wanted.name)
        if wanted.name in self.faults:
            raise self.faults[wanted.name]
        return scorer(wanted.name)


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def challengers(places: Places) -> Iterator[Challengers]:
    made, finished = Challengers(places.load), threading.Event()
    thread = threading.Thread(target=made.load_until, args=(finished,))
    thread.start()
    yield made
    finished.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_tenth_of_the_tweets_goes_to_the_challenger_with_edits_and_retweets(
    challengers: Challengers,
) -> None:
    champion = scorer("a")
    challengers.want(event())
    split = wait_until(lambda: challengers.split_with(champion), 60, "a split")
    tweets = [posted(tweet_id=str(10**17 + number)) for number in range(5_000)]
    arms = {tweet.root_id: split.arm_of(tweet).name for tweet in tweets}
    assert 430 < list(arms.values()).count("challenger") < 570
    assert split.arms[0].scorer is champion
    for tweet in tweets[:200]:
        retweet = posted(
            tweet_id="7", references=(Reference(kind="retweeted", tweet_id=tweet.root_id),)
        )
        edit = posted(tweet_id="8", root_id=tweet.root_id, version=1)
        assert split.arm_of(retweet).name == split.arm_of(edit).name == arms[tweet.root_id]
    challengers.want(event(weight=5_000))
    grown = challengers.split_with(champion)
    assert grown is not None
    assert all(
        grown.arm_of(tweet).name == "challenger"
        for tweet in tweets
        if arms[tweet.root_id] == "challenger"
    )


def test_one_model_answers_all_while_the_other_is_missing_or_another_one_serves(
    challengers: Challengers, places: Places
) -> None:
    places.faults["b"] = BundleUnavailable("/b does not answer")
    challengers.want(event())
    wait_until(lambda: challengers.fault() != "", 60, "the fault is told")
    assert challengers.split_with(scorer("a")) is None
    del places.faults["b"]
    wait_until(lambda: challengers.split_with(scorer("a")), 60, "a split once it is there")
    assert challengers.fault() == ""
    assert challengers.split_with(scorer("c")) is None
    challengers.want(event(None))
    assert challengers.split_with(scorer("a")) is None
    assert challengers.hashes() == frozenset()


def test_a_refused_challenger_is_not_asked_for_again(
    challengers: Challengers, places: Places
) -> None:
    places.faults["b"] = RefusedBundle("/b is not what was promised")
    challengers.want(event())
    wait_until(lambda: challengers.fault() != "", 60, "the refusal is told")
    challengers.wait_until_settled(30)
    assert challengers.split_with(scorer("a")) is None
    challengers.want(event("c"))
    wait_until(lambda: challengers.split_with(scorer("a")), 60, "another challenger")
    assert places.loads == ["b", "c"]
