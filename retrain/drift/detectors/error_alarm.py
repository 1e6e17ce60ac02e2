"""The error alarm: audits say that the model is wrong more often than is tolerated.

It is the one alarm whose promise needs no reference. Audits are a uniform sample, labelled without
sight of the model's answer, so X (1: person and model disagree) has the mean of the model's error.
For bets λ, as fractions of the largest that cannot lose all (e-detectors: Shin, Ramdas, Rinaldo
2023, arXiv 2203.03532):

    R ← (R + 1) · (1 + λ (X - tolerated))

While the error is at most `tolerated`, an alarm at mean R ≥ A has a mean run length of at least A
audits, whatever the order and the dependence of errors given that.

>>> detector = ErrorDetector()
>>> for wrong in [False, False, True] * 100:  # a third is wrong, .35 is tolerated
...     detector = detector.update(wrong, tolerated=0.35)
>>> detector.evidence < 7_300  # a year of 20 audits a day
True
>>> audits = 0
>>> while detector.evidence < 7_300:
...     detector, audits = detector.update(audits % 2 == 0, tolerated=0.35), audits + 1
>>> audits
127
"""

from typing import Final

import numpy as np
from msgspec import Struct

from retrain.drift.detectors.e_detector import Floats

FRACTIONS: Final = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4])
"""Of 1 / tolerated: a bet of that would lose everything at the first right answer."""

_MOST: Final = 600.0


def advance(log1p_r: Floats, wrong: Floats, tolerated: float) -> Floats:
    """Return log(1 + R) of each lane (lanes × bets) after one audit: `wrong` is 0 or 1."""
    gain = np.log1p(FRACTIONS / tolerated * (wrong[..., np.newaxis] - tolerated))
    return np.minimum(np.logaddexp(0.0, log1p_r + gain), _MOST)


def evidence_of(log1p_r: Floats) -> Floats:
    """Return the mean of R of each lane."""
    mean: Floats = np.expm1(log1p_r).mean(axis=-1)
    return mean


class ErrorDetector(Struct, frozen=True):
    """The audits of one run and model so far, as a value that goes through JSON unchanged."""

    log1p_r: tuple[float, ...] = (0.0,) * len(FRACTIONS)

    def update(self, wrong: bool, *, tolerated: float) -> "ErrorDetector":
        """Return the detector after one more audit. `tolerated` lies between 0 and 1."""
        rows = advance(np.array(self.log1p_r), np.array(float(wrong)), tolerated)
        return ErrorDetector(tuple(rows.tolist()))

    @property
    def evidence(self) -> float:
        """Compare it with the run length, in audits, that is wanted between false alarms."""
        return float(evidence_of(np.array(self.log1p_r)))
