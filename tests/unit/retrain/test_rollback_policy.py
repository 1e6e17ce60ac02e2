"""A promoted model goes for harm that is beyond chance, and never twice in a row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from retrain.evaluation.bootstrap import Figure
from retrain.rollback.rollback_policy import (
    ModelWindow,
    RollbackEvidence,
    RollbackLimits,
    RollbackReason,
    decide_rollback,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
LIMITS = RollbackLimits()
BEFORE = ModelWindow(
    sha256="a" * 64,
    tweets=2_000,
    dead_letters=2,
    age_p95_s=0.4,
    by_label={"bad": 600, "good": 1_400},
)
AFTER = replace(BEFORE, sha256="b" * 64)


def evidence(model: ModelWindow = AFTER, **fields: Any) -> RollbackEvidence:
    known: dict[str, Any] = {
        "now": NOON + timedelta(hours=1),
        "promotion_id": "1",
        "promoted_at": NOON,
        "undoes": False,
        "before": BEFORE,
    }
    return RollbackEvidence(model=model, **{**known, **fields})


HARM = {
    RollbackReason.ERRORS: replace(AFTER, failed=60, dead_letters=60),
    RollbackReason.DEAD_LETTERS: replace(AFTER, dead_letters=60),
    RollbackReason.LATENCY: replace(AFTER, age_p95_s=2.0),
    RollbackReason.SHARES: replace(AFTER, by_label={"bad": 1_000, "good": 1_000}),
}


@pytest.mark.parametrize("reason", HARM)
def test_harm_takes_the_promotion_back_with_its_reason(reason: RollbackReason) -> None:
    decision = decide_rollback(evidence(HARM[reason]), LIMITS)
    assert decision.rolls_back
    assert reason in decision.reasons
    assert decision.sentence


@pytest.mark.parametrize(
    "model",
    [
        AFTER,
        replace(AFTER, failed=4, dead_letters=4),
        replace(AFTER, age_p95_s=1.3),
        replace(AFTER, by_label={"bad": 760, "good": 1_240}),
        # Few tweets: a jump that chance may have made.
        replace(AFTER, tweets=500, by_label={"bad": 220, "good": 280}),
    ],
)
def test_what_may_be_chance_or_is_small_changes_nothing(model: ModelWindow) -> None:
    decision = decide_rollback(evidence(model), LIMITS)
    assert (decision.rolls_back, decision.sentence) == (False, "the promoted model does no harm")


def test_a_jump_that_the_shadow_foretold_is_none_and_one_that_it_did_not_is() -> None:
    jumped = HARM[RollbackReason.SHARES]
    foretold = {
        "bad": Figure(value=0.19, low=0.16, high=0.22),
        "good": Figure(value=-0.19, low=-0.22, high=-0.16),
    }
    assert not decide_rollback(evidence(jumped, predicted=foretold), LIMITS).rolls_back
    contrary = {"bad": Figure(value=-0.15, low=-0.18, high=-0.12)}
    decision = decide_rollback(evidence(AFTER, predicted=contrary), LIMITS)
    assert not decision.rolls_back
    far = {"bad": Figure(value=-0.25, low=-0.28, high=-0.22)}
    assert decide_rollback(evidence(AFTER, predicted=far), LIMITS).rolls_back


@pytest.mark.parametrize(
    "fields",
    [
        {"undoes": True},
        {"before": None},
        {"now": NOON + timedelta(hours=25)},
        {"before": replace(BEFORE, tweets=100)},
        {"held_until": NOON + timedelta(hours=2)},
    ],
)
def test_harm_takes_nothing_back_where_a_rollback_could_not_help(fields: dict[str, Any]) -> None:
    for harmful in HARM.values():
        assert not decide_rollback(evidence(harmful, **fields), LIMITS).rolls_back


def test_the_hold_says_what_it_holds_and_until_when() -> None:
    held = evidence(HARM[RollbackReason.LATENCY], held_until=NOON + timedelta(hours=2))
    decision = decide_rollback(held, LIMITS)
    assert decision.reasons == (RollbackReason.LATENCY,)
    assert decision.sentence.startswith("held until 2026-11-28 14:00 UTC, though the slowest")
