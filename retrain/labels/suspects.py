"""Which labels may be mistakes of people: confident learning. Pure.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (Journal
of Artificial Intelligence Research 70, 2021). A label's threshold is the mean probability that the
model gives it over the texts that have it: its usual confidence there. A text counts as of the
label that reaches its threshold, the most probable one where several do (equation 1, the confident
joint). Where that is not the label that it has, the label is suspected. The first suspects are
those whose own label is the furthest behind it (the normalised margin).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class LabelledAnswer(NamedTuple):
    """What people say of a tweet, and what the model gives each label."""

    root_id: str
    label: str
    probabilities: Mapping[str, float]


class Suspect(NamedTuple):
    """A tweet whose label may be wrong; `suggested` is what the model is confident of.

    `margin` is the probability of the label less that of the suggested one: -1 is the surest.
    """

    root_id: str
    label: str
    suggested: str
    margin: float


def thresholds(answers: Sequence[LabelledAnswer]) -> dict[str, float]:
    """Return the mean probability of each label over the tweets that have it."""
    by_label: dict[str, list[float]] = {}
    for each in answers:
        if each.label in each.probabilities:
            by_label.setdefault(each.label, []).append(each.probabilities[each.label])
    # Probabilities have six decimals; a mean of equal ones must not be above them.
    return {label: round(float(np.mean(found)), 6) for label, found in sorted(by_label.items())}


def find_suspects(answers: Sequence[LabelledAnswer]) -> list[Suspect]:
    """Return the suspected labels, the surest first.

    A label that the model does not know is never suspected, and none is suggested that no tweet
    has: it has no threshold. The probabilities should be of a model that did not learn from these
    labels, or it repeats their mistakes.
    """
    least = thresholds(answers)
    suspects = []
    for each in answers:
        confident = [
            (each.probabilities[label], label)
            for label, threshold in least.items()
            if each.probabilities.get(label, -1.0) >= threshold
        ]
        if not confident or each.label not in each.probabilities:
            continue
        most, suggested = max(confident)
        if suggested != each.label:
            margin = round(each.probabilities[each.label] - most, 6)
            suspects.append(Suspect(each.root_id, each.label, suggested, margin))
    return sorted(suspects, key=lambda suspect: (suspect.margin, suspect.root_id))
