"""A service that starts without hearing of a promotion says so until it has heard of one."""

from functools import partial

from deploy.web.untold_promotion import UntoldPromotion
from model_server.model_slot import SlotState
from schemas.events import ModelIdentity
from schemas.model_events import PromotedModel
from schemas.process.progress import Health
from tests.unit.examples import model

WELL = Health(True, "ready")


def promoted(by: ModelIdentity) -> PromotedModel:
    return PromotedModel(
        name=by.name, version=by.version, sha256=by.sha256, cleaning=by.cleaning, address="shelf"
    )


def state(serving: ModelIdentity, wanted: PromotedModel | None = None) -> SlotState:
    return SlotState(serving=serving, wanted=wanted, fault="")


def test_readiness_names_the_promotion_until_another_model_has_been_told() -> None:
    first, other = model("first"), model("other")
    now = state(first)
    untold = UntoldPromotion(promoted(other), lambda: now)
    said = untold.told(WELL)
    assert said.ok
    assert said.detail.startswith("ready; other ")
    assert said.detail.endswith("Kafka did not say so: `murmur init` tells it again")
    now = state(first, wanted=promoted(other))
    assert untold.told(WELL) == WELL
    # A rollback to the first one later on is told, and right.
    now = state(first)
    assert untold.told(WELL) == WELL


def test_nothing_is_said_where_the_promoted_model_serves_or_is_on_its_way() -> None:
    first, other = model("first"), model("other")
    for now, stored in (
        (state(first), None),
        (state(first), promoted(first)),
        (state(first, wanted=promoted(other)), promoted(other)),
    ):
        assert UntoldPromotion(stored, partial(state, now.serving, now.wanted)).told(WELL) == WELL
