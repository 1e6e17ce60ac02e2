"""The clipped e-detector: a signal's mean has moved, at a stated run length between false alarms.

Each window gives `w`, by how many standard deviations the signal is off, what the window before
announced taken out, and clipped to ±3: one storm says no more than that. For each bet λ and each
direction s, Shiryaev-Roberts' sum is kept (e-detectors: Shin, Ramdas, Rinaldo 2023,
arXiv 2203.03532):

    R ← (R + 1) · exp(λ (s·w - TOLERANCE) - λ² · DEVIATION² / 2)

The evidence is the mean of R over all bets and both directions. An alarm at evidence ≥ A has a mean
run length of at least A windows while E exp(λ (s·w - TOLERANCE)) ≤ exp(λ² · DEVIATION² / 2): that
is, while `w` is off by no more than the tolerance on average, and no wilder than a normal variable
of that deviation. It is so while the reference is right, and not otherwise.

>>> detector = EDetector()
>>> for w in (0.3, -1.1, 0.4, 0.9, -0.2):
...     detector = detector.update(w)
>>> detector.direction, round(detector.evidence, 1)
(1, 1.9)
>>> hours = 0
>>> while detector.evidence < 8_760:  # a mean of at least a year of hours between false alarms
...     detector, hours = detector.update(2.5), hours + 1
>>> hours, detector.direction
(6, 1)
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Floats: TypeAlias = npt.NDArray[np.float64]
Directions: TypeAlias = npt.NDArray[np.int64]

BETS: Final = np.array([0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
CLIP: Final = 3.0
TOLERANCE: Final = 0.25
DEVIATION: Final = 1.15
_DIRECTIONS: Final = np.array([1.0, -1.0])[:, np.newaxis]
PRICE: Final = BETS * TOLERANCE + (BETS * DEVIATION) ** 2 / 2
"""What each bet costs: it must not win more than exp of this on average."""

_MOST: Final = 600.0
"""A sum is kept below exp of this, so that it stays a number."""


def no_evidence(lanes: int) -> Floats:
    """Return log(1 + R) of detectors that have seen nothing: lanes × directions × bets."""
    return np.zeros((lanes, len(_DIRECTIONS), len(BETS)))


def advance(log1p_r: Floats, w: Floats) -> Floats:
    """Return log(1 + R) of each lane after its `w`."""
    clipped = np.clip(w, -CLIP, CLIP)[..., np.newaxis, np.newaxis]
    gain = BETS * _DIRECTIONS * clipped - PRICE
    after: Floats = np.minimum(np.logaddexp(0.0, log1p_r + gain), _MOST)
    return after


def evidence_of(log1p_r: Floats) -> tuple[Floats, Directions]:
    """Return the mean of R of each lane, and where it points: 1 upwards, -1 downwards."""
    upwards, downwards = np.moveaxis(np.expm1(log1p_r).mean(axis=-1), -1, 0)
    return (upwards + downwards) / 2, np.where(upwards >= downwards, 1, -1)


class EDetector(Struct, frozen=True):
    """One signal's detector, as a value that goes through JSON unchanged."""

    log1p_r: tuple[tuple[float, ...], ...] = ((0.0,) * len(BETS),) * len(_DIRECTIONS)

    def update(self, w: float) -> "EDetector":
        """Return the detector after one more window."""
        rows = advance(np.array(self.log1p_r), np.array(w)).tolist()
        return EDetector(tuple(map(tuple, rows)))

    @property
    def evidence(self) -> float:
        """Compare it with the run length, in windows, that is wanted between false alarms."""
        return float(evidence_of(np.array(self.log1p_r))[0])

    @property
    def direction(self) -> int:
        """1: the signal has risen; -1: it has fallen."""
        return int(evidence_of(np.array(self.log1p_r))[1])
