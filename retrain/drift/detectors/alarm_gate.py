"""From evidence to an alarm: it also needs an effect and persistence, and ends with hysteresis.

Evidence says that something has moved, the effect says that anybody would care. An alarm is raised
when the evidence suffices, the stretch that differs is at least `raise_windows` long, and the
signal was off by at least `effect`, in the evidence's direction, on average over its latest
`raise_windows`. It ends when the average over the latest `end_windows` is within half the effect;
the evidence then begins anew. These can only delay or withhold an alarm, so the run length that
the evidence promises stays.

Everything is in lanes, so that one call moves many signals, or many simulated years.

>>> from retrain.drift.detectors.e_detector import no_evidence
>>> gate, log1p_r = no_alarms(1, end_windows=6), no_evidence(1)
>>> limits = GateLimits(raise_windows=3, end_windows=6)
>>> def hour(gate, log1p_r, points):
...     return step(gate, log1p_r, w=np.array([points / 2]), deviation=np.array([points / 100]),
...                 threshold=np.array([8_760.0]), effect=np.array([0.02]), limits=limits)
>>> raised = []
>>> for points in [0, 0] + [6] * 10 + [0] * 12:
...     gate, log1p_r = hour(gate, log1p_r, points)
...     raised.append(int(gate.raised[0]))
>>> raised.index(1), len(raised) - raised[::-1].index(1)
(5, 16)
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from retrain.drift.detectors.e_detector import (
    CLIP,
    Floats,
    advance,
    evidence_of,
)

Ints: TypeAlias = npt.NDArray[np.int64]

_ALLOWANCE = 0.5
"""Of Page's sum, which dates the beginning of a stretch: half of a shift of one deviation."""


@dataclass(frozen=True)
class GateLimits:
    """How many windows an alarm needs to be raised, and to end."""

    raise_windows: int
    end_windows: int


@dataclass(frozen=True)
class Gate:
    """What is remembered of each lane beside its evidence.

    `recent` are the latest deviations, the newest last, NaN where there were none. `page` is
    Page's sum in each direction (Biometrika 41, 1954) and `stretch` for how many windows it has
    been above 0. `raised` is the direction of a raised alarm, or 0.
    """

    recent: Floats
    page: Floats
    stretch: Ints
    raised: Ints


def no_alarms(lanes: int, *, end_windows: int) -> Gate:
    """Return a gate that has seen nothing."""
    return Gate(
        recent=np.full((lanes, end_windows), np.nan),
        page=np.zeros((lanes, 2)),
        stretch=np.zeros((lanes, 2), dtype=np.int64),
        raised=np.zeros(lanes, dtype=np.int64),
    )


def step(
    gate: Gate,
    log1p_r: Floats,
    *,
    w: Floats,
    deviation: Floats,
    threshold: Floats,
    effect: Floats,
    limits: GateLimits,
    one_way: Ints | None = None,
) -> tuple[Gate, Floats]:
    """Return gate and evidence after one window of every lane.

    `w` feeds the e-detector, `deviation` is how far the signal is from its level in its own unit,
    and so is `effect`; `threshold` is the run length wanted, in windows. Where `one_way` is 1
    or -1, only moves in that direction raise.
    """
    evidence = advance(log1p_r, w)
    recent = np.concatenate([gate.recent[:, 1:], deviation[:, np.newaxis]], axis=1)
    clipped = np.clip(w, -CLIP, CLIP)[:, np.newaxis] * np.array([1.0, -1.0])
    page = np.maximum(0.0, gate.page + clipped - _ALLOWANCE)
    stretch = np.where(page > 0, gate.stretch + 1, 0)

    found, direction = evidence_of(evidence)
    latest = recent[:, -limits.raise_windows :].mean(axis=1)
    along = np.where(direction > 0, stretch[:, 0], stretch[:, 1])
    raises = (
        (gate.raised == 0)
        & (found >= threshold)
        & (along >= limits.raise_windows)
        & (direction * latest >= effect)
    )
    # Unknown windows (NaN) are in no average that is small: an alarm needs them all to end.
    ends = (gate.raised != 0) & (np.abs(recent.mean(axis=1)) <= effect / 2)
    if one_way is not None:
        raises &= (one_way == 0) | (one_way == direction)
    return Gate(
        recent=recent,
        page=np.where(ends[:, np.newaxis], 0.0, page),
        stretch=np.where(ends[:, np.newaxis], 0, stretch),
        raised=np.where(raises, direction, np.where(ends, 0, gate.raised)),
    ), np.where(ends[:, np.newaxis, np.newaxis], 0.0, evidence)
