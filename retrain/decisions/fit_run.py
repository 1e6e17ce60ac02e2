"""A decision for a run: loaded, fitted, judged, and refused where it is worse."""

from collections.abc import Collection
from datetime import datetime

import numpy as np
from msgspec import Struct

from retrain.decisions.fit_decision import (
    LEAST_AUDITS,
    LEAST_AUDITS_OF_RULE,
    Biases,
    fit_decision,
    rules_to_fit,
)
from retrain.decisions.judge_decision import (
    cross_fitted,
    figures_of_decision,
    folds_of,
    refusal,
)
from retrain.decisions.load_audits import Audits, load_audits, load_sample
from schemas.decisions import Decision
from schemas.failures import Failure
from schemas.transport.postgres import Connection


class RefusedDecision(Failure):
    """A decision that would make the labels of its stream worse; nothing was kept."""


class Fitted(Struct, frozen=True, kw_only=True):
    """A decision that may be used, and what is worth saying of its audits."""

    decision: Decision
    model: str
    audits_of_other_models: int
    audits_with_other_labels: int


def fit_run(connection: Connection, run: str, rules: Collection[str], *, now: datetime) -> Fitted:
    """Fit a decision on a run's audits.

    Without `rules` each rule with enough audits gets biases of its own. Raises `Failure` where
    there are too few audits, and `RefusedDecision` where the decision is worse than none.
    """
    with connection, connection.cursor() as cur:
        audits = load_audits(cur, run)
        require_enough(audits, run)
        chosen_rules = _require_rules(audits, rules) if rules else rules_to_fit(audits.texts)
        stream = load_sample(cur, run, audits)
    biases = fit_decision(audits.texts, audits.truth, stream, rules=chosen_rules)
    decided = cross_fitted(
        audits.texts, audits.truth, folds_of(audits.root_ids), stream, rules=chosen_rules
    )
    own = audits.texts.probabilities.argmax(axis=1)
    figures = figures_of_decision(audits.truth, own, decided, len(audits.labels))
    worse = refusal(figures, audits.truth, own)
    if worse is not None:
        raise RefusedDecision(f"the decision is refused: {worse}; the model's own labels stay")
    return Fitted(
        decision=Decision(
            run=run,
            model_sha256=audits.model_sha256,
            labels=audits.labels,
            biases=_numbers(biases.whole),
            biases_by_rule=_by_rule(biases),
            audits=len(audits.truth),
            fitted_at=now,
            figures=figures,
        ),
        model=f"{audits.model_name} {audits.model_version}",
        audits_of_other_models=audits.of_other_models,
        audits_with_other_labels=audits.other_labels,
    )


def require_enough(audits: Audits, run: str) -> None:
    """Raise `Failure` unless there are as many audits as a decision needs."""
    found = len(audits.truth)
    if found >= LEAST_AUDITS:
        return
    left_out = [
        f"{count:,} {why}"
        for count, why in (
            (audits.of_other_models, "of other models' answers"),
            (audits.other_labels, "with labels that the model does not have"),
        )
        if count
    ]
    raise Failure(
        f"run {run!r} has {found:,} audits of the labels of {audits.model_name} "
        f"{audits.model_version}, a decision needs {LEAST_AUDITS}: label "
        f"{LEAST_AUDITS - found:,} more (`murmur labels annotate --audits-only`)"
        + (f"; left out: {', '.join(left_out)}" if left_out else "")
    )


def _require_rules(audits: Audits, rules: Collection[str]) -> list[str]:
    for rule in sorted(rules):
        found = sum(rule in matched for matched in audits.texts.rules)
        if found < LEAST_AUDITS_OF_RULE:
            raise Failure(
                f"rule {rule!r} has {found:,} audits, biases of its own need "
                f"{LEAST_AUDITS_OF_RULE}: its tweets get those of the whole run meanwhile"
            )
    return sorted(set(rules))


def _by_rule(biases: Biases) -> dict[str, tuple[float, ...]]:
    return {rule: _numbers(of_rule) for rule, of_rule in biases.by_rule.items()}


def _numbers(biases: "np.typing.NDArray[np.float64]") -> tuple[float, ...]:
    return tuple(float(bias) for bias in biases)
