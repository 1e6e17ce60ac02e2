"""Whether a promotion is taken back now: a pure decision with its reason.

A promoted model goes where far more of its tweets become dead letters, where its answers come far
later, or where its shares of labels jump further than its shadow let expect. Each needs a least
number of tweets, and evidence beyond chance (95 % intervals). After a rollback nothing is rolled
back for a while: so two models that both look bad do not take turns.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from retrain.comparison.intervals import difference_of_shares, share
from retrain.evaluation.bootstrap import Figure
from schemas.setting_views import RollbackSettings


class RollbackReason(StrEnum):
    """Why a model goes; stable names, since people count them."""

    ERRORS = "errors"
    DEAD_LETTERS = "dead_letters"
    LATENCY = "latency"
    SHARES = "shares"


class RollbackLimits(Struct, frozen=True, kw_only=True):
    """The thresholds.

    A promotion is watched for `watched_for`, from `least_tweets` on. `dead_letters` and `share`
    are moves of a share (of 1), `latency_ratio` is of 95th percentiles. After a rollback nothing
    is rolled back for `hold`.
    """

    watched_for: timedelta = timedelta(hours=24)
    least_tweets: int = 500
    dead_letters: float = 0.01
    latency_ratio: float = 3.0
    share: float = 0.1
    hold: timedelta = timedelta(hours=24)


def limits_of(settings: RollbackSettings) -> RollbackLimits:
    """Return the thresholds of the settings."""
    return RollbackLimits(
        watched_for=settings.watched_for,
        least_tweets=settings.least_tweets,
        dead_letters=settings.dead_letters,
        latency_ratio=settings.latency_ratio,
        share=settings.share,
        hold=settings.hold,
    )


class ModelWindow(Struct, frozen=True, kw_only=True):
    """What a model answered in a span of time.

    `failed` are tweets that could not be scored, `dead_letters` all that scoring gave up, those
    among them. `age_p95_s` is the 95th percentile of the seconds from a tweet's receipt to its
    score. `by_label` counts the model's own answers.
    """

    sha256: str
    tweets: int
    failed: int = 0
    dead_letters: int = 0
    age_p95_s: float | None = None
    by_label: Mapping[str, int] = {}


class RollbackEvidence(Struct, frozen=True, kw_only=True):
    """All that a decision rests on.

    `before` is the model that served before (in a split: the champion, at the same time), None
    where the same one did.
    `predicted` has the change of each label's share as the shadow saw it; it is empty where the
    promoted model had none. `held_until` is the end of the hold after the last rollback.
    """

    now: datetime
    promotion_id: str
    promoted_at: datetime
    undoes: bool
    model: ModelWindow
    before: ModelWindow | None
    predicted: Mapping[str, Figure] = {}
    held_until: datetime | None = None


class RollbackDecision(Struct, frozen=True, kw_only=True):
    """Whether the promotion is taken back, why, and the same in one sentence."""

    rolls_back: bool
    reasons: tuple[RollbackReason, ...]
    sentence: str


def decide_rollback(evidence: RollbackEvidence, limits: RollbackLimits) -> RollbackDecision:
    """Decide; the same evidence and limits give the same answer."""
    quiet = _why_not_watched(evidence, limits)
    if quiet is not None:
        return RollbackDecision(rolls_back=False, reasons=(), sentence=quiet)
    found = dict(_faults(evidence, limits))
    if not found:
        return RollbackDecision(
            rolls_back=False, reasons=(), sentence="the promoted model does no harm"
        )
    harm = "; ".join(found.values())
    if evidence.held_until is not None and evidence.now < evidence.held_until:
        return RollbackDecision(
            rolls_back=False,
            reasons=tuple(found),
            sentence=f"held until {evidence.held_until:%Y-%m-%d %H:%M} UTC, though {harm}",
        )
    return RollbackDecision(rolls_back=True, reasons=tuple(found), sentence=harm)


def _why_not_watched(evidence: RollbackEvidence, limits: RollbackLimits) -> str | None:
    if evidence.undoes:
        return "the last promotion is a rollback: the model is known"
    if evidence.before is None:
        return "the last promotion brought no other model than served before"
    if evidence.now >= evidence.promoted_at + limits.watched_for:
        return "the last promotion is older than a promotion is watched"
    seen = evidence.model.tweets + evidence.model.dead_letters
    missing = limits.least_tweets - min(seen, evidence.before.tweets + evidence.before.dead_letters)
    if missing > 0:
        return "the promoted model, or the one before, has scored too few tweets to tell"
    return None


def _faults(
    evidence: RollbackEvidence, limits: RollbackLimits
) -> Iterator[tuple[RollbackReason, str]]:
    model, before = evidence.model, evidence.before
    if before is None:
        return
    for reason, now, then, what in (
        (RollbackReason.ERRORS, model.failed, before.failed, "could not be scored"),
        (
            RollbackReason.DEAD_LETTERS,
            model.dead_letters,
            before.dead_letters,
            "became dead letters",
        ),
    ):
        new = share(now, model.tweets + model.dead_letters)
        change = difference_of_shares(share(then, before.tweets + before.dead_letters), new)
        if change.low is not None and change.low > limits.dead_letters:
            yield (
                reason,
                f"{_percent(new)} of the tweets {what}, {_points(change)} more than before",
            )
    if (
        model.age_p95_s is not None
        and before.age_p95_s is not None
        and model.age_p95_s > limits.latency_ratio * before.age_p95_s
        and model.age_p95_s > before.age_p95_s + 1
    ):
        yield (
            RollbackReason.LATENCY,
            f"the slowest twentieth took {model.age_p95_s:.1f} s, before {before.age_p95_s:.1f} s",
        )
    for label in sorted(model.by_label.keys() | before.by_label.keys()):
        change = difference_of_shares(
            share(before.by_label.get(label, 0), before.tweets),
            share(model.by_label.get(label, 0), model.tweets),
        )
        expected = evidence.predicted.get(label, Figure(value=0.0, low=0.0, high=0.0))
        if _beyond(change, expected, limits.share):
            shadow = (
                f"its shadow let expect {_points(expected)}"
                if label in evidence.predicted
                else "it had no shadow"
            )
            yield (
                RollbackReason.SHARES,
                f"the share of {label!r} moved by {_points(change)}, and {shadow}",
            )
            return


def _beyond(change: Figure, expected: Figure, limit: float) -> bool:
    if change.low is None or change.high is None or expected.low is None or expected.high is None:
        return False
    return change.low > expected.high + limit or change.high < expected.low - limit


def _percent(figure: Figure) -> str:
    return f"{100 * (figure.value or 0):.1f} %"


def _points(figure: Figure) -> str:
    return f"{100 * (figure.value or 0):+.1f} points"
