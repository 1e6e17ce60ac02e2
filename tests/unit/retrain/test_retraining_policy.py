"""When a model is trained anew: for a reason, with labels, and never twice at once."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.jobs.policy import (
    PolicyInputs,
    PolicySettings,
    RetrainReason,
    decide_retraining,
)
from schemas.people_labels import LabelOrigin

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ENOUGH = {LabelOrigin.AUDIT: 200, LabelOrigin.QUEUE: 300}
EVERYTHING_ON = PolicySettings(
    least_confidence=0.6, new_tweets=1_000, oldest_model=timedelta(days=30)
)
QUIET = PolicyInputs(
    now=NOW,
    new_labels=ENOUGH,
    mean_confidence=0.7,
    model_since=NOW - timedelta(days=1),
    last_job_at=NOW - timedelta(days=2),
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"forced": True}, RetrainReason.FORCED),
        ({"error_alarms": ("a1",)}, RetrainReason.ERROR),
        ({"drift_alarms": ("a1",)}, RetrainReason.DRIFT),
        ({"mean_confidence": 0.59}, RetrainReason.CONFIDENCE),
        ({"new_tweets": 1_000}, RetrainReason.NEW_TWEETS),
        ({"model_since": NOW - timedelta(days=30)}, RetrainReason.AGE),
    ],
)
def test_each_threshold_fires_by_itself(change: dict[str, object], reason: RetrainReason) -> None:
    quiet = decide_retraining(QUIET, EVERYTHING_ON)
    assert (quiet.fires, quiet.sentence) == (False, "nothing speaks for a new training")
    decision = decide_retraining(msgspec.structs.replace(QUIET, **change), EVERYTHING_ON)
    assert (decision.fires, decision.reasons, decision.obstacles) == (True, (reason,), ())


def test_thresholds_that_are_off_never_fire() -> None:
    off = PolicySettings(on_drift=False, on_error=False)
    loud = msgspec.structs.replace(
        QUIET,
        drift_alarms=("a",),
        error_alarms=("b",),
        mean_confidence=0.0,
        new_tweets=10**9,
        model_since=NOW - timedelta(days=9999),
    )
    assert decide_retraining(loud, off).reasons == ()


def test_what_is_missing_is_said_without_a_reason_too() -> None:
    inputs = msgspec.structs.replace(QUIET, new_labels={LabelOrigin.AUDIT: 288})
    decision = decide_retraining(inputs, EVERYTHING_ON)
    assert decision.sentence == "nothing speaks for a new training; 212 labels are missing"


def test_a_reason_without_labels_says_how_many_are_missing() -> None:
    inputs = msgspec.structs.replace(
        QUIET, drift_alarms=("a",), new_labels={LabelOrigin.AUDIT: 288}
    )
    decision = decide_retraining(inputs, EVERYTHING_ON)
    assert (decision.fires, decision.labels_missing) == (False, 212)
    assert decision.sentence == "not yet (drift): 212 labels are missing"


def test_the_cooldown_holds_back_all_but_what_is_forced() -> None:
    soon = msgspec.structs.replace(
        QUIET, drift_alarms=("a",), last_job_at=NOW - timedelta(hours=23)
    )
    assert "at least 24.0 hours" in decide_retraining(soon, EVERYTHING_ON).sentence
    assert decide_retraining(msgspec.structs.replace(soon, forced=True), EVERYTHING_ON).fires


@given(
    forced=st.booleans(),
    alarms=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    labels=st.integers(0, 2_000),
    hours=st.none() | st.integers(0, 100),
)
def test_nothing_fires_beside_a_job_or_without_labels(
    forced: bool, alarms: tuple[str, ...], labels: int, hours: int | None
) -> None:
    inputs = msgspec.structs.replace(
        QUIET,
        forced=forced,
        drift_alarms=alarms,
        new_labels={LabelOrigin.QUEUE: labels},
        last_job_at=None if hours is None else NOW - timedelta(hours=hours),
    )
    decision = decide_retraining(inputs, EVERYTHING_ON)
    assert decision.fires == (bool(decision.reasons) and not decision.obstacles)
    assert not (decision.fires and labels < EVERYTHING_ON.least_new_labels)
    at_work = decide_retraining(msgspec.structs.replace(inputs, live_job="7"), EVERYTHING_ON)
    assert not at_work.fires
