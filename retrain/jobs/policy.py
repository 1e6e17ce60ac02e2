"""Whether a model should be trained anew now: a pure decision with its reason.

A reason alone does not fire: there must also be enough new labels to learn from, no training at
work, and some time since the last one. A reason without labels asks for labels.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from schemas.people_labels import LabelOrigin


class RetrainReason(StrEnum):
    """What speaks for a new training; stable names, since people count them."""

    FORCED = "forced"
    ERROR = "error"
    DRIFT = "drift"
    CONFIDENCE = "confidence"
    NEW_TWEETS = "new_tweets"
    AGE = "age"


class PolicySettings(Struct, frozen=True, kw_only=True):
    """The thresholds; None switches one off.

    `on_drift` and `on_error` heed alarms of the kind `model`. `least_confidence` is a mean between
    0 and 1, `new_tweets` and `least_new_labels` are numbers, the others lengths of time.
    """

    on_drift: bool = True
    on_error: bool = True
    least_confidence: float | None = None
    new_tweets: int | None = None
    oldest_model: timedelta | None = None
    least_new_labels: int = 500
    cooldown: timedelta = timedelta(days=1)


class PolicyInputs(Struct, frozen=True, kw_only=True):
    """What is known at one moment, all that the decision rests on.

    `drift_alarms` and `error_alarms` are the ids of those that are raised. `new_labels` counts, by
    origin, the labels since the last training that did not fail; audits that are frozen for the
    gate do not count. `mean_confidence` is of the newest closed windows, None where there are none.
    `live_job` is the id of a job that is not over. `last_job_at` is when the last one began,
    whatever came of it.
    """

    now: datetime
    drift_alarms: tuple[str, ...] = ()
    error_alarms: tuple[str, ...] = ()
    new_labels: Mapping[LabelOrigin, int] = {}
    new_tweets: int = 0
    model_since: datetime | None = None
    mean_confidence: float | None = None
    last_job_at: datetime | None = None
    live_job: str | None = None
    forced: bool = False


class PolicyDecision(Struct, frozen=True, kw_only=True):
    """Whether to train now, why, and what stands against it.

    `sentence` says it to a person. `labels_missing` is how many more labels are needed.
    """

    fires: bool
    reasons: tuple[RetrainReason, ...]
    obstacles: tuple[str, ...]
    labels_missing: int
    sentence: str


def decide_retraining(inputs: PolicyInputs, settings: PolicySettings) -> PolicyDecision:
    """Decide; the same inputs and settings give the same decision.

    What is forced overrules the cooldown and asks for no reason; a job at work and too few labels
    stand against it all the same.
    """
    reasons = tuple(_reasons(inputs, settings))
    labels = sum(inputs.new_labels.values())
    missing = max(0, settings.least_new_labels - labels)
    obstacles = tuple(_obstacles(inputs, settings, missing))
    fires = bool(reasons) and not obstacles
    return PolicyDecision(
        fires=fires,
        reasons=reasons,
        obstacles=obstacles,
        labels_missing=missing,
        sentence=_sentence(reasons, obstacles),
    )


def _reasons(inputs: PolicyInputs, settings: PolicySettings) -> list[RetrainReason]:
    age = None if inputs.model_since is None else inputs.now - inputs.model_since
    found = {
        RetrainReason.FORCED: inputs.forced,
        RetrainReason.ERROR: settings.on_error and bool(inputs.error_alarms),
        RetrainReason.DRIFT: settings.on_drift and bool(inputs.drift_alarms),
        RetrainReason.CONFIDENCE: (
            settings.least_confidence is not None
            and inputs.mean_confidence is not None
            and inputs.mean_confidence < settings.least_confidence
        ),
        RetrainReason.NEW_TWEETS: (
            settings.new_tweets is not None and inputs.new_tweets >= settings.new_tweets
        ),
        RetrainReason.AGE: (
            settings.oldest_model is not None and age is not None and age >= settings.oldest_model
        ),
    }
    return [reason for reason, holds in found.items() if holds]


def _obstacles(inputs: PolicyInputs, settings: PolicySettings, missing: int) -> list[str]:
    found = []
    if inputs.live_job is not None:
        found.append(f"the job {inputs.live_job} is at work")
    if missing:
        found.append(f"{missing:,} labels are missing")
    if inputs.last_job_at is not None and not inputs.forced:
        left = inputs.last_job_at + settings.cooldown - inputs.now
        if left > timedelta(0):
            found.append(
                f"the last training began {_hours(settings.cooldown - left)} ago, "
                f"at least {_hours(settings.cooldown)} are to pass"
            )
    return found


def _sentence(reasons: Sequence[RetrainReason], obstacles: Sequence[str]) -> str:
    if not reasons:
        return "; ".join(["nothing speaks for a new training", *obstacles])
    because = ", ".join(reason.replace("_", " ") for reason in reasons)
    if obstacles:
        return f"not yet ({because}): {'; '.join(obstacles)}"
    return f"train anew: {because}"


def _hours(time: timedelta) -> str:
    return f"{time.total_seconds() / 3600:,.1f} hours"
