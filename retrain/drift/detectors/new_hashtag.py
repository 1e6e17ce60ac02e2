"""A hashtag that the reference hardly knows is in a good part of the tweets now.

Of n tweets k have it. While at most the share `ordinary` of tweets would have it, the likelihood
ratio of the share `new` against `ordinary` is at most 1 on average, whatever the true share is: it
is a bet that nobody wins in the long run (e-detectors: Shin, Ramdas, Rinaldo 2023, arXiv
2203.03532).

    R ← (R + 1) · (new / ordinary)^k · ((1 - new) / (1 - ordinary))^(n - k)

While the hashtag stays ordinary, an alarm at R ≥ A has a mean run length of at least A windows.
That is of one hashtag. No more than `HASHTAGS_OF_A_TWEET` / ordinary of them can be as frequent as
that at once, so that many times A is asked for. It rests on tweets being independent given the
share: a hashtag that bursts for hours is new, not false.

>>> detector, windows = HashtagDetector(), 0
>>> for _ in range(1_000):  # 1 of 100 tweets
...     detector = detector.update(1, 100, ordinary=0.0125, new=0.05)
>>> detector.evidence < 1
True
>>> while detector.evidence < 8_760 * 400:
...     detector, windows = detector.update(8, 100, ordinary=0.0125, new=0.05), windows + 1
>>> windows
2
"""

from typing import Final

import numpy as np
from msgspec import Struct

from retrain.drift.detectors.e_detector import Floats

HASHTAGS_OF_A_TWEET: Final = 5
"""Of a tweet only the first ones count, so that one text full of them is one text."""

_MOST: Final = 600.0


def advance(
    log1p_r: Floats, having: Floats, tweets: Floats, *, ordinary: float, new: float
) -> Floats:
    """Return log(1 + R) of each lane after one window."""
    gain = having * np.log(new / ordinary)
    gain += (tweets - having) * np.log((1 - new) / (1 - ordinary))
    grown: Floats = np.minimum(np.logaddexp(0.0, log1p_r + gain), _MOST)
    return grown


class HashtagDetector(Struct, frozen=True):
    """What one hashtag's windows say, as a value that goes through JSON unchanged."""

    log1p_r: float = 0.0

    def update(self, having: int, tweets: int, *, ordinary: float, new: float) -> "HashtagDetector":
        """Return the detector after a window: 0 < ordinary < new < 1."""
        lane = np.array(self.log1p_r), np.array(float(having)), np.array(float(tweets))
        return HashtagDetector(float(advance(*lane, ordinary=ordinary, new=new)))

    @property
    def evidence(self) -> float:
        """Compare it with the run length, in windows, that is wanted between false alarms."""
        return float(np.expm1(self.log1p_r))
