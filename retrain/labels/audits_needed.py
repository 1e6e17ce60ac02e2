"""How many audits a share needs, from the audits alone."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Final

WANTED_HALF_WIDTH: Final = 0.03
LEAST_TO_GUESS_BY: Final = 20
"""With fewer audits their own shares say next to nothing: the worst case, a half, is assumed."""

_NORMAL: Final = NormalDist().inv_cdf(0.975)


def audits_needed(audits: Mapping[str, int], half_width: float = WANTED_HALF_WIDTH) -> int:
    """Return how many audits give every label's share ± `half_width` with 95 % confidence.

    `audits` counts those that there are by label. n = z² p (1 - p) / half_width² for the label
    whose share p is nearest to a half (the normal interval of a proportion). With the model's help
    (PPI++) fewer suffice, never more.
    """
    return math.ceil(_NORMAL**2 * _worst_variance(audits) / half_width**2)


def half_width_now(audits: Mapping[str, int]) -> float | None:
    """Return the half-width that the audits give by now, None without any."""
    total = sum(audits.values())
    return _NORMAL * math.sqrt(_worst_variance(audits) / total) if total else None


def _worst_variance(audits: Mapping[str, int]) -> float:
    total = sum(audits.values())
    if total < LEAST_TO_GUESS_BY:
        return 0.25
    return max(count / total * (1 - count / total) for count in audits.values())
