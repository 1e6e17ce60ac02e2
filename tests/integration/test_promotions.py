"""Promotions: one after the other, told by the topic, and taken back."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from model_server.bundle import MODEL, Bundle, RefusedBundle, default_bundle, identity_of
from model_server.bundle_store import BundleStore
from retrain.jobs.do_job import _register
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.cli import models
from retrain.promotion.promote import clean, promote, roll_back
from retrain.promotion.promotion_gate import GateRule, GateVerdict
from retrain.promotion.promotions import PromotionRefused, promotions, publish_waiting, store
from retrain.registry.bundles import Registered
from schemas.failures import Failure
from schemas.model_events import ModelPromoted, PromotedModel, decode_promoted
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher
from tests.integration.replay_runs import messages
from tests.integration.serving import command
from tests.keyword_bundle import keyword_bundle
from tests.stack import process_environment

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


class House:
    """A shelf, bundles by letter, and what one does with them."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self._connection = connection
        self.shelf = BundleShelf(str(folder / "shelf"))
        self.bundles = {
            letter: keyword_bundle(
                folder / letter, {f"good{letter}": "positive", "bad": "negative"}, name=letter
            )
            for letter in "abcd"
        }

    def promote(self, letter: str) -> ModelPromoted:
        return promote(
            self._connection,
            self.shelf,
            self.bundles[letter].folder,
            served_before=lambda: self.bundles["a"].folder,
            because="it is better",
            now=NOW,
        )

    def roll_back(self, to: str | None = None) -> str:
        event = roll_back(self._connection, to=to, because="it was not", now=NOW)
        return event.champion.name

    def champions(self) -> str:
        return "".join(each.event.champion.name for each in promotions(self._connection))


@pytest.fixture
def house(tmp_path: Path, connection: Connection) -> House:
    return House(tmp_path, connection)


def test_a_promoted_bundle_is_to_be_had_at_the_address_of_its_event(
    house: House, tmp_path: Path
) -> None:
    event = house.promote("b")
    fetched = BundleStore(tmp_path / "elsewhere").fetch(
        event.champion.address, event.champion.sha256
    )
    assert fetched.identity == house.bundles["b"].identity
    assert house.champions() == "ba"


def test_a_training_promotes_over_the_model_that_it_was_judged_against_alone(
    house: House,
    connection: Connection,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Registered(name="m", registry_version="1", aliases=[], sha256="", folder="")
    monkeypatch.setattr("retrain.jobs.do_job.log_bundle", lambda *_, **__: kept)
    own = settings.model_copy(update={"model": None, "home": tmp_path / "home"})
    better = GateRule(name="better on the audits", passed=True, sentence="better")
    verdict = GateVerdict(
        passed=True, rules=[better], audits=500, audits_missing=0, differing_ids=[]
    )

    def ended(letter: str, *, judged_against: str) -> tuple[bool, str]:
        hash_ = house.bundles[judged_against].identity.sha256
        folder = house.bundles[letter].folder
        output = _register(own, connection, hash_, True, folder, verdict)
        return output["promoted"], output["sentence"]

    house.promote("b")
    promoted, said = ended("c", judged_against="a")
    assert (promoted, house.champions()) == (False, "ba"), "somebody promoted b while it learned"
    assert "another model serves since" in said
    assert ended("c", judged_against="b") == (True, "passed the gate")
    assert house.champions() == "cba"


def test_a_bundle_that_is_promoted_while_others_are_removed_is_there(
    house: House, connection: Connection, tmp_path: Path
) -> None:
    class Cleaned(BundleShelf):
        """What somebody else cleans between the copying of a bundle and its promotion."""

        def put(self, bundle: Bundle) -> str:
            address = super().put(bundle)
            if bundle.identity.sha256 not in {each.sha256 for each in self.promoted()}:
                assert clean(connection, house.shelf, keep=2) == [bundle.identity.sha256]
            return address

        def promoted(self) -> list[PromotedModel]:
            return [each.event.champion for each in promotions(connection)]

    house.promote("b")
    house.shelf = Cleaned(str(tmp_path / "shelf"))
    champion = house.promote("c").champion
    fetched = BundleStore(tmp_path / "elsewhere").fetch(champion.address, champion.sha256)
    assert fetched.identity == house.bundles["c"].identity


def test_commands_ask_the_promoted_model_unless_another_is_named(
    house: House, settings: Settings
) -> None:
    asked = ("predict", "--json", "a goodb day")
    before = command(settings.model_copy(update={"model": None}), *asked)
    assert before["model"]["sha256"] == identity_of(default_bundle()).sha256
    house.promote("b")
    own = settings.model_copy(update={"model": None})
    found = command(own, *asked)
    assert found["model"]["name"] == "b"
    assert found["predictions"][0]["label"] == "positive"
    assert command(own, *asked, "--model", str(house.bundles["c"].folder))["model"]["name"] == "c"
    away = own.model_copy(update={"postgres": SecretStr("postgresql://murmur@127.0.0.1:9/murmur")})
    assert command(away, *asked)["model"] == before["model"]


def test_rollbacks_go_further_back_and_never_swing(house: House) -> None:
    for letter in "bcd":
        house.promote(letter)
    assert [house.roll_back(), house.roll_back(), house.roll_back()] == ["c", "b", "a"]
    with pytest.raises(PromotionRefused):
        house.roll_back()
    house.promote("d")
    assert house.roll_back() == "a"
    assert house.roll_back(to=house.bundles["c"].identity.sha256[:10]) == "c"
    with pytest.raises(Failure, match="already"):
        house.roll_back(to=house.bundles["c"].identity.sha256)


def test_a_promotion_that_was_not_judged_is_not_taken_back(
    house: House, connection: Connection
) -> None:
    judged = house.promote("b")
    house.promote("c")
    with pytest.raises(PromotionRefused, match="meanwhile"):
        roll_back(connection, to=None, because="b did harm", now=NOW, only=judged.promotion_id)
    assert house.champions() == "cba"


def test_a_bundle_that_is_not_fit_is_not_promoted(house: House) -> None:
    model = house.bundles["b"].folder / MODEL
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(RefusedBundle):
        house.promote("b")
    assert house.champions() == ""


def test_the_bundle_that_serves_is_refused_and_nothing_is_stored(house: House) -> None:
    with pytest.raises(Failure, match="already"):
        house.promote("a")
    assert house.champions() == ""


def test_of_two_promotions_at_once_one_is_refused(house: House, settings: Settings) -> None:
    house.promote("b")
    waiting = threading.Barrier(2)
    refused = []

    def promote_after_the_same(letter: str) -> None:
        own = connect_postgres(settings.postgres_connection, "test")
        present = promotions(own)[0].event
        event = ModelPromoted(
            promotion_id=letter,
            models=present.models,
            decision="at once",
            promoted_at=NOW,
        )
        waiting.wait(30)
        try:
            store(own, event, after=present.promotion_id)
        except PromotionRefused:
            refused.append(letter)
        own.close()

    threads = [threading.Thread(target=promote_after_the_same, args=(each,)) for each in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    assert house.champions() == "bba"


def test_the_last_promotion_is_published_until_kafka_has_it(
    house: House, settings: Settings, connection: Connection
) -> None:
    topic = settings.names.topic(MODELS_PROMOTED)
    publisher = ConfirmingPublisher(settings.kafka_connection, "test")
    assert not publish_waiting(connection, publisher, topic)
    house.promote("b")
    event = house.promote("c")
    assert publish_waiting(connection, publisher, topic)
    assert not publish_waiting(connection, publisher, topic)
    found = messages(settings, MODELS_PROMOTED)
    assert [decode_promoted(message.value() or b"") for message in found] == [event]
    assert all(each.published_at is not None for each in promotions(connection))


def test_bundles_that_a_rollback_may_need_are_not_removed(
    house: House, connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    for letter in "bcd":
        house.promote(letter)

    def on_shelf() -> str:
        return "".join(
            sorted(
                letter
                for letter, bundle in house.bundles.items()
                if bundle.identity.sha256 in house.shelf.hashes()
            )
        )

    assert on_shelf() == "abcd"
    removed = clean(connection, house.shelf, keep=2)
    assert set(removed) == {sha256_of(house.bundles[letter]) for letter in "ab"}
    assert on_shelf() == "cd"
    assert house.roll_back() == "c"
    own = settings.model_copy(update={"home": tmp_path / "home"})
    environment = process_environment(own)
    for letter, is_there in (("d", True), ("b", False)):
        sha256 = sha256_of(house.bundles[letter])
        went = CliRunner(env=environment).invoke(models, ["rollback", "--to", sha256])
        assert went.exit_code == 0, went.output
        assert ("its bundle cannot be had from here" in went.stderr) is not is_there


def test_bundles_are_removed_where_no_rollback_is_left(
    house: House, connection: Connection
) -> None:
    house.promote("b")
    assert house.roll_back() == "a"
    assert clean(connection, house.shelf, keep=2) == []
    assert house.shelf.hashes() == {sha256_of(house.bundles[letter]) for letter in "ab"}


def sha256_of(bundle: Bundle) -> str:
    return bundle.identity.sha256
