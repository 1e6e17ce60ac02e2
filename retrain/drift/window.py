"""What is counted of the scored tweets of one stretch of time.

Everything is an integer and adds up, so that windows do not depend on the order of tweets, on how
they were batched, or on how often the watch was killed.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

ALL_RULES: Final = ""
"""The rule of windows that hold every tweet, whatever it matched."""

CONFIDENCE_BINS: Final = 100


class WindowKey(Struct, frozen=True, order=True):
    """Which tweets a window holds: of a run, of a rule (`ALL_RULES`: all), scored by one model.

    `start` is in UTC and a whole multiple of the window's length.
    """

    run: str
    rule: str
    model_sha256: str
    start: datetime


class WindowCounts(Struct, frozen=True, kw_only=True):
    """Sums over the tweets of a window.

    `tweets` and `retweets` count all of them. Everything else is of the originals alone, so that
    one text that half of a stream repeats is no drift; `judged` is how many those are.

    `confidence_micros` is the sum of confidences in millionths; `confidence_histogram` counts them
    in `CONFIDENCE_BINS` bins of equal width (the last holds 1 too), of which quantiles are read.
    `pieces`, `unknown_pieces` and `piece_words` are of the tweets whose word pieces were counted,
    a sample by hash: `piece_words` are the words of those. `by_language` has "" where the language
    is unknown.
    """

    tweets: int = 0
    retweets: int = 0
    by_label: dict[str, int] = {}
    confidence_micros: int = 0
    confidence_histogram: tuple[int, ...] = (0,) * CONFIDENCE_BINS
    characters: int = 0
    pieces: int = 0
    unknown_pieces: int = 0
    piece_words: int = 0
    by_language: dict[str, int] = {}

    @property
    def judged(self) -> int:
        """How many tweets the label counts, and so all sums but those of pieces, are of."""
        return sum(self.by_label.values())

    @property
    def originals(self) -> int:
        """How many tweets are no retweets."""
        return self.tweets - self.retweets

    def __add__(self, other: "WindowCounts") -> "WindowCounts":
        """Return the counts of both, as if they had been one."""
        return WindowCounts(
            tweets=self.tweets + other.tweets,
            retweets=self.retweets + other.retweets,
            by_label=_added(self.by_label, other.by_label),
            confidence_micros=self.confidence_micros + other.confidence_micros,
            confidence_histogram=tuple(
                a + b
                for a, b in zip(self.confidence_histogram, other.confidence_histogram, strict=True)
            ),
            characters=self.characters + other.characters,
            pieces=self.pieces + other.pieces,
            unknown_pieces=self.unknown_pieces + other.unknown_pieces,
            piece_words=self.piece_words + other.piece_words,
            by_language=_added(self.by_language, other.by_language),
        )


class Window(Struct, frozen=True):
    """A window with its counts."""

    key: WindowKey
    counts: WindowCounts


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Return the sums in the order of the names, so that equal counts are equal bytes."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
