"""A decision applied: the label that a model's probabilities and a stream's biases choose.

Pure: the answer depends on the tweet's own probabilities and rules alone, never on its neighbours.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from schemas.decisions import Decision

LEAST_PROBABILITY: Final = 5e-7
"""What a probability of 0 counts as: half of the last decimal that probabilities are rounded to."""

_DECIMALS: Final = 6


def own_answer(probabilities: Mapping[str, float], labels: Sequence[str]) -> tuple[str, float]:
    """Return the model's own label and its confidence; of equals the first in the labels' order.

    `probabilities` are as they stand in an event or a row, whatever their order.
    """
    label = max(labels, key=probabilities.__getitem__)
    return label, probabilities[label]


def decide(
    probabilities: Mapping[str, float], rules: Collection[str], decision: Decision
) -> tuple[str, float]:
    """Return the label with the largest sum of log probability and bias, and its softmax share.

    The share is rounded to six decimals, as the model's own confidence is. A tweet of several rules
    that the decision knows gets the mean of their biases, one of none those of the whole stream.
    Biases of 0 change nothing: the answer is then `own_answer`. Raises `KeyError` where a label of
    the decision has no probability.
    """
    biases = biases_for(rules, decision)
    if not any(biases):
        return own_answer(probabilities, decision.labels)
    scores = [
        math.log(max(probabilities[label], LEAST_PROBABILITY)) + bias
        for label, bias in zip(decision.labels, biases, strict=True)
    ]
    most = max(scores)
    weights = [math.exp(score - most) for score in scores]
    chosen = scores.index(most)
    return decision.labels[chosen], round(weights[chosen] / math.fsum(weights), _DECIMALS)


def biases_for(rules: Collection[str], decision: Decision) -> Sequence[float]:
    """Return the biases of a tweet that matches these rules, in the order of the labels."""
    known = [
        decision.biases_by_rule[rule] for rule in set(rules) if rule in decision.biases_by_rule
    ]
    if not known:
        return decision.biases
    if len(known) == 1:
        return known[0]
    return [math.fsum(of_label) / len(known) for of_label in zip(*known, strict=True)]


def fits(decision: Decision, *, run: str, model_sha256: str, labels: Collection[str]) -> bool:
    """Tell whether a decision is about what this model says of this run's tweets."""
    return (
        decision.run == run
        and decision.model_sha256 == model_sha256
        and set(decision.labels) == set(labels)
    )
