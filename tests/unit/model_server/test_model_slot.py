"""A promoted model takes over between two batches; one that cannot changes nothing."""

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from model_server.bundle import RefusedBundle
from model_server.bundle_store import BundleUnavailable
from model_server.model_slot import ModelSlot
from schemas.events import ModelIdentity
from schemas.failures import Failure
from schemas.model_events import PromotedModel
from tests.conditions import wait_until


class Answering:
    def __init__(self, letter: str) -> None:
        self.identity = ModelIdentity(name=letter, version="1", sha256=letter * 64, cleaning="1")


def promoted(letter: str) -> PromotedModel:
    return PromotedModel(
        name=letter, version="1", sha256=letter * 64, cleaning="1", address=f"/{letter}"
    )


class Places:
    """Where models are loaded from: faults by name, and a note of each load."""

    def __init__(self) -> None:
        self.faults: dict[str, Failure] = {}
        self.loads: list[str] = []
        self.wait = threading.Event()
        self.wait.set()

    def load(self, model: PromotedModel) -> Answering:
        self.loads.append(model.name)
        self.wait.wait(30)
        if model.name in self.faults:
            raise self.faults[model.name]
        return Answering(model.name)


@contextmanager
def loading(slot: ModelSlot[Answering]) -> Iterator[None]:
    finished = threading.Event()
    thread = threading.Thread(target=slot.load_until, args=(finished,))
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def swaps() -> list[str]:
    return []


@pytest.fixture
def slot(places: Places, swaps: list[str]) -> Iterator[ModelSlot[Answering]]:
    made = ModelSlot(
        Answering("a"), load=places.load, swapped=lambda model: swaps.append(model.identity.name)
    )
    with loading(made):
        yield made


def served_in_the_end(slot: ModelSlot[Answering], name: str) -> None:
    wait_until(lambda: name_served(slot) == name, 60, f"{name} serves")


def name_served(slot: ModelSlot[Answering]) -> str:
    return slot.current().identity.name


def test_the_old_model_serves_while_the_new_one_loads(
    slot: ModelSlot[Answering], places: Places, swaps: list[str]
) -> None:
    places.wait.clear()
    slot.promote(promoted("b"))
    wait_until(lambda: places.loads == ["b"], 60, "b is loading")
    assert name_served(slot) == "a"
    state = slot.state()
    assert (state.serving.name, state.wanted, state.fault) == ("a", promoted("b"), "")
    places.wait.set()
    served_in_the_end(slot, "b")
    assert (slot.state().wanted, swaps) == (None, ["b"])


def test_a_rollback_loads_nothing(slot: ModelSlot[Answering], places: Places) -> None:
    slot.promote(promoted("b"))
    served_in_the_end(slot, "b")
    slot.promote(promoted("a"))
    assert name_served(slot) == "a"
    slot.promote(promoted("b"))
    assert name_served(slot) == "b"
    assert places.loads == ["b"]


def test_a_refused_model_changes_nothing_and_is_told(
    slot: ModelSlot[Answering], places: Places
) -> None:
    places.faults["b"] = RefusedBundle("/b is not what was promised")
    slot.promote(promoted("b"))
    wait_until(
        lambda: slot.state().fault == "/b is not what was promised", 60, "the refusal is told"
    )
    assert name_served(slot) == "a"
    slot.promote(promoted("c"))
    served_in_the_end(slot, "c")
    assert (slot.state().fault, places.loads) == ("", ["b", "c"])


def test_a_place_that_does_not_answer_is_asked_again(
    slot: ModelSlot[Answering], places: Places
) -> None:
    places.faults["b"] = BundleUnavailable("/b does not answer")
    slot.promote(promoted("b"))
    wait_until(lambda: len(places.loads) >= 2, 60, "it is tried again")
    assert (name_served(slot), slot.state().fault) == ("a", "/b does not answer")
    places.faults.clear()
    served_in_the_end(slot, "b")


def test_a_later_promotion_ends_the_wait_for_an_earlier_one(
    slot: ModelSlot[Answering], places: Places
) -> None:
    places.faults["b"] = BundleUnavailable("/b does not answer")
    slot.promote(promoted("b"))
    wait_until(lambda: slot.state().fault != "", 60, "the fault is told")
    slot.promote(promoted("c"))
    served_in_the_end(slot, "c")
    slot.promote(promoted("b"))
    slot.promote(promoted("c"))
    assert (name_served(slot), slot.state().wanted) == ("c", None)


def test_a_model_that_was_superseded_while_it_loaded_never_serves(
    slot: ModelSlot[Answering], places: Places, swaps: list[str]
) -> None:
    places.wait.clear()
    slot.promote(promoted("b"))
    wait_until(lambda: places.loads == ["b"], 60, "b is loading")
    slot.promote(promoted("c"))
    places.wait.set()
    served_in_the_end(slot, "c")
    assert swaps == ["c"]


def test_at_most_two_models_are_held(places: Places) -> None:
    first = Answering("a")
    gone = weakref.ref(first)
    slot = ModelSlot(first, load=places.load)
    del first
    with loading(slot):
        slot.promote(promoted("b"))
        served_in_the_end(slot, "b")
        assert gone() is not None
        places.wait.clear()
        slot.promote(promoted("c"))
        wait_until(lambda: places.loads == ["b", "c"], 60, "c is loading")
        gc.collect()
        assert gone() is None
        places.wait.set()
        served_in_the_end(slot, "c")
