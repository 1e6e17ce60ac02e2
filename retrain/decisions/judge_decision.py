"""What a decision gains, on audits that it was not fitted on, and whether it is refused. Pure."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from retrain.decisions.fit_biases import Floats
from retrain.decisions.fit_decision import Texts, fit_decision
from retrain.evaluation.bootstrap import RESAMPLES, figure, resampled_sums
from schemas.decisions import DecisionFigures, Gain

FOLDS: Final = 10
_SEED: Final = 1
_SAMPLED: Final = 2_000
"""Tweets of the stream that each fold's fit sees: their shares are a point from those of all, where
a hundred audits are four."""


def fold_of(root_id: str) -> int:
    """Return the fold of an audited tweet, decided by its id alone."""
    digest = hashlib.sha256(f"murmur-fold:{root_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % FOLDS


def cross_fitted(
    audited: Texts,
    truth: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    stream: Texts,
    *,
    rules: Collection[str],
) -> npt.NDArray[np.int64]:
    """Return the column that is chosen for each audit by a decision fitted on the other folds.

    The first of `stream` have to be a uniform sample of it.
    """
    chosen = np.zeros(len(truth), dtype=np.int64)
    stream = stream.part(np.arange(len(stream.rules)) < _SAMPLED)
    for fold in np.unique(folds):
        held_out = folds == fold
        biases = fit_decision(audited.part(~held_out), truth[~held_out], stream, rules=rules)
        chosen[held_out] = biases.choose(audited.part(held_out))
    return chosen


def figures_of_decision(
    truth: npt.NDArray[np.int64],
    own: npt.NDArray[np.int64],
    decided: npt.NDArray[np.int64],
    labels: int,
) -> DecisionFigures:
    """Return what the decided labels gain over the model's own, with bootstrap intervals.

    All are columns of labels. Both sides get the same resamples of the audits, so that their
    differences are paired.
    """
    parts = [_sums_of_each(truth, own, labels), _sums_of_each(truth, decided, labels)]
    resampled = resampled_sums(parts, resamples=RESAMPLES, seed=_SEED)
    whole = [part.sum(axis=0) for part in parts]
    gains = {}
    for name, measure, sign in _MEASURES:
        before, after = (float(measure(sums, labels)) for sums in whole)
        gain = figure(
            sign * (after - before),
            sign * (measure(resampled[1], labels) - measure(resampled[0], labels)),
        )
        gains[name] = Gain(
            own=round(before, 6),
            decided=round(after, 6),
            gain=gain.value,
            low=gain.low,
            high=gain.high,
        )
    return DecisionFigures(**gains)


def refusal(
    figures: DecisionFigures, truth: npt.NDArray[np.int64], own: npt.NDArray[np.int64]
) -> str | None:
    """Return why a decision is refused, naming the figure and its interval; None if it is not.

    `truth` and `own` are the columns of people's labels and of the model's own. A decision is
    refused in one of three cases. The share error rises: to lessen it is what a decision is for, so
    the best estimate decides. Or accuracy falls for certain, its whole interval below 0: few audits
    cannot show a small change, and right shares of wrong labels help nobody. Or the model's own
    shares differ from people's by no more than chance makes of so many audits: nothing is shown
    that a decision could mend. Macro-recall refuses nothing: it weighs a rare label
    like a frequent one, so that labels in their true shares may lower it.
    """
    shares, accuracy = figures.share_error, figures.accuracy
    if shares.gain is not None and shares.gain < 0:
        return f"the error of the shares would rise {_sentence(shares)}"
    if accuracy.high is not None and accuracy.high < 0:
        return f"accuracy would fall {_sentence(accuracy)}"
    if _may_be_chance(truth, own, labels=1 + int(max(truth.max(), own.max()))):
        return (
            f"the shares of the model's own labels are not shown to be wrong: {len(truth):,} "
            f"audits differ as much by chance; their error would go {_sentence(shares)}"
        )
    return None


def _may_be_chance(truth: npt.NDArray[np.int64], own: npt.NDArray[np.int64], labels: int) -> bool:
    """Tell whether the best estimate of the squared error of the model's own shares is nothing.

    Without bias it is Σd² - Σv, with d the differences from people's shares on the audits and v
    their variances.
    """
    differences = np.eye(labels)[own] - np.eye(labels)[truth]
    mean = differences.mean(axis=0)
    variances = differences.var(axis=0, ddof=1) / len(truth)
    return bool(mean @ mean <= variances.sum())


def _sentence(gain: Gain) -> str:
    return (
        f"from {gain.own:.3f} to {gain.decided:.3f} on audits that it was not fitted on "
        f"(gain {gain.gain:+.3f}, 95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
    )


def _sums_of_each(
    truth: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64], labels: int
) -> Floats:
    """Return texts × sums: how often a label is the true one, is the chosen one, is both."""
    rows = np.arange(len(truth))
    sums = np.zeros((len(truth), 3 * labels))
    sums[rows, truth] = 1
    sums[rows, labels + chosen] = 1
    agreed = truth == chosen
    sums[rows[agreed], 2 * labels + truth[agreed]] = 1
    return sums


def _accuracy(sums: Floats, labels: int) -> Floats:
    result: Floats = sums[..., 2 * labels :].sum(axis=-1) / sums[..., :labels].sum(axis=-1)
    return result


def _macro_recall(sums: Floats, labels: int) -> Floats:
    """The mean recall of the labels that people gave."""
    true, both = sums[..., :labels], sums[..., 2 * labels :]
    recall = np.divide(both, true, out=np.zeros_like(both), where=true > 0)
    result: Floats = recall.sum(axis=-1) / (true > 0).sum(axis=-1)
    return result


def _share_error(sums: Floats, labels: int) -> Floats:
    """The total variation between the shares of the chosen labels and of people's."""
    true, chosen = sums[..., :labels], sums[..., labels : 2 * labels]
    result: Floats = np.abs(chosen - true).sum(axis=-1) / 2 / true.sum(axis=-1)
    return result


_MEASURES: Final = (
    ("accuracy", _accuracy, 1),
    ("macro_recall", _macro_recall, 1),
    ("share_error", _share_error, -1),
)


def folds_of(root_ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the fold of each audited tweet."""
    return np.array([fold_of(root_id) for root_id in root_ids], dtype=np.int64)
