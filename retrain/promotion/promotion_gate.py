"""Whether a challenger may take the champion's place: a pure decision over paired answers.

A higher figure alone proves nothing: on 500 texts a model that is one point worse has it one time
in five. So the challenger has to be better on the audits of the stream by more than chance, and
must not be worse on the standing test set by more than a margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from msgspec import Struct

from retrain.evaluation.bootstrap import RESAMPLES, resampled_sums
from retrain.evaluation.figures import Figures, Floats, figures_of, sums_of_each_text
from retrain.evaluation.predictions import Answers
from schemas.counted_nouns import number_of

_POWER: Final = 0.8
"""How likely it should be that a difference as large as the present one is found."""


class GateLimits(Struct, frozen=True, kw_only=True):
    """What the gate asks for. Figures are shares between 0 and 1.

    `fewest_audits` is a number of audited tweets. `chance` is how often a challenger that is
    exactly as good may pass. `standing_margin` is by how much macro-recall on the standing set may
    be worse. `recall_loss` bounds how much recall of any one label may fall on the audits,
    `calibration_loss` how much the calibration error may rise.
    """

    fewest_audits: int = 500
    chance: float = 0.05
    standing_margin: float = 0.01
    recall_loss: float = 0.05
    calibration_loss: float = 0.03


@dataclass(frozen=True)
class PairedAnswers:
    """What both models answer to the same texts; `ids` name the texts."""

    ids: Sequence[str]
    champion: Answers
    challenger: Answers


class GateRule(Struct, frozen=True, kw_only=True):
    """One rule and how the challenger stands to it.

    `value` is the challenger's figure minus the champion's, `low` the bound that chance leaves it
    (one-sided), `limit` what the rule asks of the two; None where a rule has no such figure.
    """

    name: str
    passed: bool
    sentence: str
    value: float | None = None
    low: float | None = None
    limit: float | None = None


class GateVerdict(Struct, frozen=True, kw_only=True):
    """All rules; the challenger passes if each of them does.

    `audits_missing` is how many more audits would prove a difference as large as the present one,
    or reach the fewest that are asked for; 0 where there are enough, None where the challenger is
    not better, so that more audits would not help. `differing_ids` are the texts to which the two
    give different labels.
    """

    passed: bool
    rules: list[GateRule]
    audits: int
    audits_missing: int | None
    differing_ids: list[str]


def judge_challenger(
    audits: PairedAnswers,
    standing: PairedAnswers | None,
    *,
    limits: GateLimits,
    refusals: Sequence[str] = (),
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> GateVerdict:
    """Judge a challenger by macro-recall and more, over paired bootstrap resamples.

    `audits` are frozen ones of the stream, which neither model has learned from; `standing` is the
    standing test set, None where there is none for these labels, which the verdict says.
    `refusals` are what the export's own gate has against the bundle (parity, cost, size, its
    self-test). The same seed gives the same verdict.
    """
    count = len(audits.ids)
    rules = [
        GateRule(
            name="enough audits",
            passed=count >= limits.fewest_audits,
            sentence=f"{number_of(count, 'audit')}, at least {limits.fewest_audits:,} are"
            " asked for",
            value=float(count),
            limit=float(limits.fewest_audits),
        ),
        GateRule(
            name="sound bundle",
            passed=not refusals,
            sentence="; ".join(refusals) or "parity, cost, size and self-test are in order",
        ),
    ]
    missing: int | None = limits.fewest_audits
    if count:
        point, spread = _differences(audits, seed, resamples)
        better = _better(point, spread, limits)
        rules += [better, *_recalls(audits, point, spread, limits), _calibration(point, limits)]
        missing = _audits_missing(count, better.value or 0.0, spread.macro_recall, limits)
    rules.append(_standing(standing, limits, seed, resamples))
    different = audits.champion.predicted != audits.challenger.predicted
    return GateVerdict(
        passed=all(rule.passed for rule in rules) and count > 0,
        rules=rules,
        audits=count,
        audits_missing=missing,
        differing_ids=[audits.ids[place] for place in np.flatnonzero(different).tolist()],
    )


@dataclass(frozen=True)
class _Difference:
    """Challenger's figures minus the champion's: of all texts, or one for each resample."""

    macro_recall: Floats
    recall: Floats
    calibration_error: Floats


def _differences(pair: PairedAnswers, seed: int, resamples: int) -> tuple[_Difference, _Difference]:
    labels = pair.champion.labels
    sums = [sums_of_each_text(answers) for answers in (pair.champion, pair.challenger)]
    whole = [figures_of(np.asarray(each.sum(axis=0)).ravel(), labels) for each in sums]
    drawn = [
        figures_of(each, labels) for each in resampled_sums(sums, resamples=resamples, seed=seed)
    ]
    return _difference(*whole), _difference(*drawn)


def _difference(champion: Figures, challenger: Figures) -> _Difference:
    return _Difference(
        challenger.macro_recall - champion.macro_recall,
        challenger.recall - champion.recall,
        challenger.calibration_error - champion.calibration_error,
    )


def _better(point: _Difference, spread: _Difference, limits: GateLimits) -> GateRule:
    value = float(point.macro_recall)
    low = float(np.quantile(spread.macro_recall, limits.chance))
    return GateRule(
        name="better on the audits",
        passed=low > 0,
        sentence=f"macro-recall {value:+.4f}, and by chance alone at least {low:+.4f}",
        value=value,
        low=low,
        limit=0.0,
    )


def _recalls(
    pair: PairedAnswers, point: _Difference, spread: _Difference, limits: GateLimits
) -> list[GateRule]:
    rules = []
    for place, label in enumerate(pair.champion.labels):
        value = float(point.recall[place])
        if np.isnan(value):
            continue
        # A fall that may be chance is not held against a challenger that is better as a whole.
        high = float(np.nanquantile(spread.recall[:, place], 1 - limits.chance))
        rules.append(
            GateRule(
                name=f"recall of {label}",
                passed=not (value < -limits.recall_loss and high < 0),
                sentence=f"recall of {label} {value:+.4f}, at most {limits.recall_loss} may go",
                value=value,
                limit=-limits.recall_loss,
            )
        )
    return rules


def _calibration(point: _Difference, limits: GateLimits) -> GateRule:
    value = float(point.calibration_error)
    return GateRule(
        name="calibration",
        passed=value <= limits.calibration_loss,
        sentence=f"calibration error {value:+.4f}, at most {limits.calibration_loss:+} more",
        value=value,
        limit=limits.calibration_loss,
    )


def _standing(
    standing: PairedAnswers | None, limits: GateLimits, seed: int, resamples: int
) -> GateRule:
    name = "not worse on the standing set"
    if standing is None:
        return GateRule(
            name=name, passed=True, sentence="there is no standing set with these labels"
        )
    point, spread = _differences(standing, seed, resamples)
    value = float(point.macro_recall)
    low = float(np.quantile(spread.macro_recall, limits.chance))
    return GateRule(
        name=name,
        passed=low > -limits.standing_margin,
        sentence=(
            f"macro-recall {value:+.4f} on {len(standing.ids):,} texts, and by chance alone at "
            f"least {low:+.4f}; at most {limits.standing_margin} may go"
        ),
        value=value,
        low=low,
        limit=-limits.standing_margin,
    )


def _audits_missing(
    count: int, difference: float, spread: Floats, limits: GateLimits
) -> int | None:
    """Return how many audits a difference of this size needs beyond those that there are.

    The variance of a mean falls with its number of texts; both errors are those of the gate.
    """
    if difference <= 0:
        return None
    normal = NormalDist()
    deviations = normal.inv_cdf(1 - limits.chance) + normal.inv_cdf(_POWER)
    of_one_text = float(spread.std()) * count**0.5
    needed = max(limits.fewest_audits, int((deviations * of_one_text / difference) ** 2) + 1)
    low = float(np.quantile(spread, limits.chance))
    return 0 if low > 0 and count >= limits.fewest_audits else max(1, needed - count)
