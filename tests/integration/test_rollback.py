"""A promotion that does harm is taken back by itself, once, and the reason is stored."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg2
import pytest

from retrain.jobs.policy_inputs import read_policy_inputs
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote, split
from retrain.promotion.promotions import promotions
from retrain.rollback.guard_promotion import Guarded, guard_promotion, held_until
from retrain.rollback.rollback_policy import RollbackLimits, RollbackReason
from schemas.events import ModelIdentity, TweetScored
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import Connection
from tests.integration.replay_runs import messages
from tests.integration.storing import store
from tests.keyword_bundle import keyword_bundle
from tests.stack import MURMUR, process_environment
from tests.unit.examples import scored_tweet

LIMITS = RollbackLimits(least_tweets=200, hold=timedelta(hours=1))
Scores = Callable[..., None]


class Clock:
    """The time of the test, in minutes after it began."""

    def __init__(self) -> None:
        self.began_at = datetime.now(UTC)
        self.minutes = 0.0

    def __call__(self) -> datetime:
        return self.began_at + timedelta(minutes=self.minutes)


class House:
    """Bundles by letter, promotions, and tweets that they scored; time stands as the test says."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection = connection
        self.clock = Clock()
        self._folder = folder
        self._shelf = BundleShelf(str(folder / "shelf"))
        self.bundles = {
            letter: keyword_bundle(
                folder / letter, {f"good{letter}": "good", "so": "bad"}, name=letter
            )
            for letter in "abc"
        }
        self._tweets = 0

    def promote(self, letter: str, weight: int | None = None) -> None:
        promote(
            self.connection,
            self._shelf,
            self.bundles[letter].folder,
            served_before=lambda: self.bundles["a"].folder,
            because="a test",
            now=self.clock(),
            weight=weight,
        )

    def score(self, letter: str, *, bad: int, good: int, arm: str | None = None) -> None:
        """Store tweets of a minute ago; the letter's model scored them."""
        identity: ModelIdentity = self.bundles[letter].identity
        tweets: list[TweetScored] = []
        for number in range(bad + good):
            tweet = scored_tweet(
                "bad" if number < bad else "good",
                labels=("good", "bad"),
                run="test",
                tweet_id=str(800000000000000000 + self._tweets),
                received_at=self.clock() - timedelta(seconds=61),
            )
            self._tweets += 1
            score = msgspec.structs.replace(
                tweet.score,
                model=identity,
                arm=arm,
                scored_at=self.clock() - timedelta(minutes=1),
            )
            tweets.append(msgspec.structs.replace(tweet, score=score))
        store(self.connection, tweets)

    def guard(self) -> Guarded:
        guarded = guard_promotion(self.connection, LIMITS, run="test", now=self.clock)
        assert guarded is not None
        return guarded

    def champion(self) -> str:
        return promotions(self.connection)[0].event.champion.name


@pytest.fixture
def house(connection: Connection, tmp_path: Path) -> House:
    return House(connection, tmp_path)


def test_a_jump_of_shares_is_taken_back_once_and_a_hold_follows(
    house: House, connection: Connection
) -> None:
    assert guard_promotion(connection, LIMITS, run="test", now=house.clock) is None
    house.score("a", bad=90, good=210)
    house.promote("b")
    house.clock.minutes = 10
    assert not house.guard().decision.rolls_back
    house.score("b", bad=90, good=210)
    assert house.guard().decision.sentence == "the promoted model does no harm"
    house.clock.minutes = 12
    house.score("b", bad=400, good=0)
    guarded = house.guard()
    assert guarded.decision.reasons == (RollbackReason.SHARES,)
    assert (guarded.went_back_to, house.champion()) == (house.bundles["a"].identity.sha256, "a")
    assert promotions(connection)[0].event.decision.startswith("rolled back by itself: the share")
    assert house.guard().decision.sentence == "the last promotion is a rollback: the model is known"

    # The next one that looks bad stays: two models do not take turns.
    house.clock.minutes = 14
    house.score("a", bad=90, good=210)
    house.clock.minutes = 15
    house.promote("c")
    house.clock.minutes = 20
    house.score("c", bad=400, good=0)
    assert house.guard().decision.sentence.startswith("held until ")
    assert house.champion() == "c"
    house.clock.minutes = 80
    house.score("c", bad=10, good=0)
    assert house.guard().went_back_to == house.bundles["a"].identity.sha256
    assert held_until(connection, LIMITS.hold) == house.clock() + LIMITS.hold
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentence, evidence #>> '{model,sha256}' FROM rollback_decisions"
            " WHERE rolls_back ORDER BY decision_no"
        )
        stored = cursor.fetchall()
    assert [sha256 for _, sha256 in stored] == [house.bundles[x].identity.sha256 for x in "bc"]


def test_a_challenger_that_does_harm_loses_its_tweets_and_the_champion_goes_on(
    house: House,
) -> None:
    house.score("a", bad=90, good=210)
    house.promote("b", weight=3_000)
    house.clock.minutes = 5
    house.score("a", bad=200, good=100, arm="champion")
    house.score("b", bad=200, good=100, arm="challenger")
    # The world has moved, and both say so.
    assert not house.guard().decision.rolls_back
    house.clock.minutes = 8
    house.score("b", bad=600, good=0, arm="challenger")
    assert house.guard().decision.rolls_back
    event = promotions(house.connection)[0].event
    assert [model.name for model in event.models] == ["a"]
    with pytest.raises(Exception, match="no challenger has tweets"):
        split(house.connection, weight=1, because="", now=house.clock())


def test_the_command_tells_kafka_and_exits_with_99_where_nothing_is_to_be_done(
    house: House, settings: Settings
) -> None:
    own = settings.model_copy(update={"retrain_run": "test", "rollback_least_tweets": 200})
    house.clock.minutes = -30
    house.score("a", bad=90, good=210)
    house.clock.minutes = -29
    house.promote("b")
    command = [str(MURMUR), "models", "guard", "--once"]
    environment = process_environment(own)
    assert subprocess.run(command, env=environment, check=False).returncode == 99
    house.clock.minutes = -1
    house.score("b", bad=400, good=0)
    answer = subprocess.run(command, env=environment, check=True, capture_output=True)
    assert b"the share of 'bad' moved" in answer.stdout
    (told,) = [m.value() for m in messages(settings, MODELS_PROMOTED)][-1:]
    assert told is not None
    assert b"rolled back by itself" in told


def test_a_rollback_whose_decision_cannot_be_stored_is_none_so_that_its_hold_is_never_missing(
    house: House, connection: Connection
) -> None:
    house.score("a", bad=90, good=210)
    house.promote("b")
    house.clock.minutes = 10
    house.score("b", bad=400, good=0)
    rename = "ALTER TABLE rollback_decisions RENAME COLUMN {} TO {}"
    with connection, connection.cursor() as cursor:
        cursor.execute(rename.format("limits", "away"))
    # As after a kill between the two.
    with pytest.raises(psycopg2.Error):
        house.guard()
    assert house.champion() == "b"
    assert held_until(connection, LIMITS.hold) is None
    with connection, connection.cursor() as cursor:
        cursor.execute(rename.format("away", "limits"))
    assert house.guard().went_back_to == house.bundles["a"].identity.sha256
    assert held_until(connection, LIMITS.hold) == house.clock() + LIMITS.hold
    assert not house.guard().decision.rolls_back
    assert len(promotions(connection)) == 3


def test_a_split_makes_the_champion_no_younger(house: House, connection: Connection) -> None:
    def since() -> datetime | None:
        return read_policy_inputs(connection, "test", forced=False).model_since

    assert since() is None
    house.promote("b")
    began_at = house.clock()
    for minutes, change in (
        (5, lambda: house.promote("c", weight=3_000)),
        (10, lambda: split(connection, weight=5_000, because="", now=house.clock())),
        (15, lambda: split(connection, weight=None, because="", now=house.clock())),
    ):
        house.clock.minutes = minutes
        change()
        assert since() == began_at
    house.clock.minutes = 20
    house.promote("c")
    assert since() == house.clock()
