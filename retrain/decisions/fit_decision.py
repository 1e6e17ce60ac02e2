"""The biases of a whole stream and of its rules, from audits and a sample of the stream. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from model_server.decisions import LEAST_PROBABILITY
from retrain.decisions.fit_biases import Floats, fit_biases, softmax_rows
from retrain.decisions.match_shares import match_shares

LEAST_AUDITS: Final = 50
"""Below this a decision is often worse than none; `python -m tests.decision_table` shows it."""

RIDGE: Final = 4.0
"""How strongly the stream's biases are drawn to 0. Against 1 it lessened the share error with 50
and 100 audits on every year of SemEval (2016: .059 to .049, .044 to .039), and costs nothing with
400."""

RULE_RIDGE: Final = 16.0
"""How strongly a rule's biases are drawn to the stream's. Four years of SemEval as four rules of
one stream: of 2 to 32 and of no biases by rule it had the smallest share error by rule with 200 and
400 audits (.047 and .040, without .052 and .047), and nearly so with 100."""

LEAST_AUDITS_OF_RULE: Final = 10
MOST_RULES: Final = 200
"""So many rules of 50 labels still fit one event."""

_DECIMALS: Final = 6


@dataclass(frozen=True)
class Texts:
    """Texts as a fit sees them: the model's probabilities (texts × labels), and each one's rules.

    `audited` are audited tweets with the columns of people's labels in `truth`.
    """

    probabilities: Floats
    rules: Sequence[Collection[str]]

    @property
    def scores(self) -> Floats:
        """The logarithms of the probabilities, those of 0 bounded."""
        result: Floats = np.log(np.maximum(self.probabilities, LEAST_PROBABILITY))
        return result

    def part(self, which: npt.NDArray[np.bool_]) -> "Texts":
        """Return some of the texts."""
        kept = np.flatnonzero(which)
        return Texts(self.probabilities[kept], [self.rules[number] for number in kept.tolist()])


@dataclass(frozen=True)
class Biases:
    """Biases of the whole stream, and by rule."""

    whole: Floats
    by_rule: Mapping[str, Floats]

    def of(self, texts: Texts) -> Floats:
        """Return the biases of each text (texts × labels), as `model_server.decisions` does."""
        return _offsets(texts, self.whole, self.by_rule)

    def choose(self, texts: Texts) -> npt.NDArray[np.int64]:
        """Return the columns of the labels that are chosen."""
        own = not self.by_rule and not self.whole.any()
        scores = texts.probabilities if own else texts.scores + self.of(texts)
        chosen: npt.NDArray[np.int64] = scores.argmax(axis=1)
        return chosen


def fit_decision(
    audited: Texts,
    truth: npt.NDArray[np.int64],
    stream: Texts,
    *,
    rules: Collection[str] = (),
    ridge: float = RIDGE,
    rule_ridge: float = RULE_RIDGE,
) -> Biases:
    """Fit biases in three steps; they are rounded to six decimals.

    1. Those of the whole stream by likelihood on the audits, drawn to 0.
    2. Those of each of `rules` on the audits that match it, drawn to those of the whole stream.
    3. With these the probabilities of the stream say how frequent each label is. All biases are
       moved alike, so that the labels that are chosen of `stream` have these shares: `stream` is
       a uniform sample of the tweets, audited or not.
    """
    labels = audited.probabilities.shape[1]
    scores = audited.scores
    nothing = np.zeros(labels)
    whole = fit_biases(scores, _counts(truth, labels), ridge=ridge, towards=nothing)
    by_rule = {}
    for rule in sorted(rules):
        of_rule = np.array([rule in matched for matched in audited.rules], dtype=bool)
        by_rule[rule] = fit_biases(
            scores[of_rule], _counts(truth[of_rule], labels), ridge=rule_ridge, towards=whole
        )
    offsets = {rule: biases - whole for rule, biases in by_rule.items()}
    moved = stream.scores + _offsets(stream, nothing, offsets)
    expected = softmax_rows(moved + whole).mean(axis=0)
    chosen = match_shares(moved, expected, start=whole)
    return Biases(
        np.round(chosen, _DECIMALS),
        {rule: np.round(chosen + offset, _DECIMALS) for rule, offset in offsets.items()},
    )


def rules_to_fit(audited: Texts) -> list[str]:
    """Return the rules that get biases of their own: those with most audits, not all of them.

    A rule that every audited tweet matches is the whole stream.
    """
    counted = Counter(rule for matched in audited.rules for rule in set(matched))
    enough = [
        (-audits, rule)
        for rule, audits in counted.items()
        if LEAST_AUDITS_OF_RULE <= audits < len(audited.rules)
    ]
    return sorted(rule for _, rule in sorted(enough)[:MOST_RULES])


def _counts(truth: npt.NDArray[np.int64], labels: int) -> Floats:
    counts: Floats = np.bincount(truth, minlength=labels).astype(np.float64)
    return counts


def _offsets(texts: Texts, whole: Floats, by_rule: Mapping[str, Floats]) -> Floats:
    result = np.tile(whole, (len(texts.rules), 1))
    for number, matched in enumerate(texts.rules):
        known = [by_rule[rule] for rule in set(matched) if rule in by_rule]
        if known:
            result[number] = np.mean(known, axis=0)
    return result
