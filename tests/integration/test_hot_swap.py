"""Promoted models take over in running scoring processes, by themselves, and nothing is lost."""

import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Final

import pytest

from model_server.bundle import MODEL, default_bundle, open_bundle
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote, roll_back
from retrain.promotion.promotions import publish_waiting
from schemas.codec import decode_scored, encode, headers_of, key_of
from schemas.events import Reference, TweetScored
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED, RAW, SCORED
from schemas.transport.postgres import Connection
from schemas.transport.publisher import ConfirmingPublisher
from tests.conditions import wait_until
from tests.integration.replay_runs import messages
from tests.integration.storing import store
from tests.keyword_bundle import keyword_bundle
from tests.stack import MURMUR, process_environment
from tests.unit.examples import posted

FIRST_ID: Final = 1_590_000_000_000_000_000


class Scoring:
    """A scoring process in a home of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    def page(self, name: str) -> str:
        """Return a page of its probes, whatever its status."""
        found = re.search(r"probes at (http://[^\s\"]+)", self._log.read_text())
        if found is None:
            return ""
        try:
            with urllib.request.urlopen(f"{found[1]}/{name}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def is_ready(self) -> bool:
        return "last progress" in self.page("readyz")


@contextmanager
def scoring(
    settings: Settings, home: Path, more: Mapping[str, str] | None = None
) -> Iterator[Scoring]:
    home.mkdir(exist_ok=True)
    log = home / "log"
    log.write_bytes(b"")
    environment = {**process_environment(settings), "MURMUR_HOME": str(home), **(more or {})}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [MURMUR, "score", "--probe-port", "0"], env=environment, stderr=output
        )
    try:
        yield Scoring(process, log)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=15) == 0
    finally:
        process.kill()
        process.wait()


class House:
    """Bundles by letter, promoted as `murmur models` does it, and tweets that are counted."""

    def __init__(self, settings: Settings, connection: Connection, folder: Path) -> None:
        self._settings = settings
        self._connection = connection
        self._publisher = ConfirmingPublisher(settings.kafka_connection, "test")
        self.shelf = BundleShelf(str(folder / "shelf"))
        self.bundles = {
            letter: keyword_bundle(
                folder / letter, {f"good{letter}": "positive", "bad": "negative"}, name=letter
            )
            for letter in "abc"
        }
        self.published = 0

    def promote(self, letter: str, *, told: bool = True, weight: int | None = None) -> None:
        promote(
            self._connection,
            self.shelf,
            self.bundles[letter].folder,
            served_before=default_bundle,
            because="a test",
            now=datetime.now(UTC),
            weight=weight,
        )
        if told:
            self.tell()

    def roll_back(self) -> None:
        roll_back(self._connection, to=None, because="a test", now=datetime.now(UTC))
        self.tell()

    def tell(self) -> None:
        topic = self._settings.names.topic(MODELS_PROMOTED)
        assert publish_waiting(self._connection, self._publisher, topic)

    def publish(self, count: int, *, retweets_of: Sequence[str] = ()) -> set[str]:
        """Publish so many tweets and return their ids; the first ones may be retweets."""
        ids = [str(FIRST_ID + self.published + number) for number in range(count)]
        self.published += count
        for tweet_id, repeated in zip_longest(ids, retweets_of):
            references = (Reference(kind="retweeted", tweet_id=repeated),) if repeated else ()
            event = posted(
                text=f"a bad day {tweet_id[-3:]}", tweet_id=tweet_id, references=references
            )
            self._publisher.publish(
                self._settings.names.topic(RAW),
                key=key_of(event),
                value=encode(event),
                headers=headers_of(event),
            )
        self._publisher.confirm()
        return set(ids)

    def scored(self) -> dict[str, TweetScored]:
        """Return each tweet as it was scored; of several answers the first one."""
        found: dict[str, TweetScored] = {}
        for message in messages(self._settings, SCORED):
            event = decode_scored(message.value())
            assert isinstance(event, TweetScored)
            found.setdefault(event.tweet_id, event)
        return found

    def models(self) -> dict[str, str]:
        """Return which model scored each tweet."""
        return {tweet_id: event.score.model.name for tweet_id, event in self.scored().items()}

    def all_are_scored_by(self, ids: set[str], name: str) -> None:
        wait_until(lambda: ids <= self.models().keys(), 60, f"{len(ids)} tweets are scored")
        assert {self.models()[tweet_id] for tweet_id in ids} == {name}


@pytest.fixture
def house(settings: Settings, connection: Connection, tmp_path: Path) -> House:
    return House(settings, connection, tmp_path)


def swaps(process: Scoring) -> int:
    found = re.search(r"^murmur_score_model_swaps_total (\S+)$", process.page("metrics"), re.M)
    return int(float(found[1])) if found else -1


def flow_until_swapped(house: House, expected: Mapping[Scoring, int]) -> None:
    """Publish tweets until each process has swapped so many times: a window is what it needs."""

    def all_have() -> bool:
        house.publish(20)
        return all(swaps(process) == count for process, count in expected.items())

    wait_until(all_have, 60, "the promoted model serves everywhere")


def test_processes_without_a_common_disk_swap_and_go_back_by_themselves(
    house: House, settings: Settings, tmp_path: Path
) -> None:
    default = open_bundle(default_bundle()).manifest.name
    with scoring(settings, tmp_path / "one") as one, scoring(settings, tmp_path / "two") as two:
        wait_until(lambda: one.is_ready() and two.is_ready(), 60, "both are ready")
        house.all_are_scored_by(house.publish(60), default)
        house.promote("a")
        flow_until_swapped(house, {one: 1, two: 1})
        house.all_are_scored_by(house.publish(60), "a")
        house.roll_back()
        flow_until_swapped(house, {one: 2, two: 2})
        house.all_are_scored_by(house.publish(60), default)
    assert len(house.models()) == house.published
    assert set(house.models().values()) == {default, "a"}


def test_two_models_share_the_tweets_by_their_ids_and_retweets_go_with_the_text(
    house: House, settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    house.promote("a")
    house.promote("b", weight=3_000)
    waiting = house.publish(200)
    with scoring(settings, tmp_path / "one") as one:
        wait_until(lambda: waiting <= house.scored().keys(), 60, "the first tweets")
        # Not of the first: a process that starts scores none before both models are there.
        retweets = house.publish(200, retweets_of=sorted(waiting))
        wait_until(lambda: retweets <= house.scored().keys(), 60, "the retweets")
        house.roll_back()

        def one_model_answers() -> bool:
            fresh = house.publish(20)
            wait_until(lambda: fresh <= house.scored().keys(), 60, "tweets after the rollback")
            return {house.scored()[each].score.arm for each in fresh} == {None}

        wait_until(one_model_answers, 60, "one model answers all again")
        assert one.process.poll() is None

    scored = house.scored()
    found = {(event.score.arm, event.score.model.name) for event in scored.values()}
    assert found == {("champion", "a"), ("challenger", "b"), (None, "a")}
    for original, retweet in zip(sorted(waiting), sorted(retweets), strict=True):
        assert scored[original].score.arm == scored[retweet].score.arm
    challenged = [root for root in waiting if scored[root].score.arm == "challenger"]
    assert 35 < len(challenged) < 85

    # Of those that came around the rollback some had still been shared.
    store(connection, [scored[root] for root in waiting | retweets])
    answer = subprocess.run(
        [MURMUR, "models", "compare", "--run", "test", "--arms", "--json"],
        env=process_environment(settings),
        capture_output=True,
        check=True,
    )
    compared = json.loads(answer.stdout)
    assert compared["challenger"]["tweets"] == len(challenged)
    assert compared["champion"]["tweets"] == len(waiting) - len(challenged)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM scored_tweets WHERE arm = 'challenger'")
        assert cursor.fetchall() == [(2 * len(challenged),)]


def test_a_process_that_was_down_scores_its_first_tweet_with_the_promoted_model(
    house: House, settings: Settings, tmp_path: Path
) -> None:
    house.promote("a")
    house.promote("b")
    waiting = house.publish(60)
    with scoring(settings, tmp_path / "one"):
        house.all_are_scored_by(waiting, "b")


def test_a_pinned_process_keeps_its_model(house: House, settings: Settings, tmp_path: Path) -> None:
    house.promote("a")
    waiting = house.publish(60)
    pinned = {"MURMUR_MODEL": str(house.bundles["c"].folder)}
    with scoring(settings, tmp_path / "one", pinned):
        house.all_are_scored_by(waiting, "c")


@pytest.mark.parametrize("missing", [False, True], ids=["damaged", "missing"])
def test_a_bundle_that_cannot_be_had_changes_nothing_and_is_said(
    missing: bool, house: House, settings: Settings, tmp_path: Path
) -> None:
    house.promote("a")
    with scoring(settings, tmp_path / "one") as one:
        house.all_are_scored_by(house.publish(60), "a")
        house.promote("b", told=False)
        model = tmp_path / "shelf" / house.bundles["b"].identity.sha256 / MODEL
        content = model.read_bytes()
        model.unlink()
        if not missing:
            model.write_bytes(content[:-1])
        house.tell()
        wait_until(lambda: "does not serve" in one.page("readyz"), 60, "the fault is said")
        assert "b 1" in one.page("readyz")
        assert "murmur_score_promoted_model_not_served 1.0" in one.page("metrics")
        house.all_are_scored_by(house.publish(60), "a")
        if missing:
            # What is not there may come: it is asked for again.
            model.write_bytes(content)
            flow_until_swapped(house, {one: 2})
        else:
            house.roll_back()
            wait_until(lambda: "does not serve" not in one.page("readyz"), 60, "the fault is over")
            house.all_are_scored_by(house.publish(60), "a")
