"""What `murmur data-quality` finds, as it stands in its JSON."""

from datetime import datetime
from typing import Final

from msgspec import Struct

CONFIDENCE_BINS: Final = 10


class RepeatedText(Struct, frozen=True):
    """A text that several tweets have; `examples` are ids of three of them."""

    tweets: int
    examples: tuple[str, ...]


class Duplicates(Struct, frozen=True, kw_only=True):
    """Equal texts among tweets that are no retweets.

    Texts are equal without their links and mentions, whatever their case and the space between
    words. `repeats` are the tweets beyond the first of each text. Texts without words are among
    the empty ones instead.
    """

    texts: int
    repeats: int
    most_repeated: tuple[RepeatedText, ...]


class Empty(Struct, frozen=True, kw_only=True):
    """Tweets that are no retweets, and say nothing.

    `no_text`: there is none, or space alone. `only_links_and_mentions`: there is nothing else.
    """

    no_text: int
    only_links_and_mentions: int


class LanguageCount(Struct, frozen=True):
    """A language as X or the text's detection names it; empty where nobody knows."""

    language: str
    tweets: int


class Languages(Struct, frozen=True, kw_only=True):
    """Which languages tweets are in.

    `outside` counts those in a language that the model which scored them does not know: their
    labels are guesses. `not_told` counts those of which no score says it, since the language is
    undetermined, the model names none, or an earlier release scored them.
    """

    tweets: tuple[LanguageCount, ...]
    outside: int
    not_told: int


class ReasonCount(Struct, frozen=True):
    """Dead letters of a run for one reason, whenever they came; `waiting` have the status new."""

    reason: str
    letters: int
    waiting: int


class Point(Struct, frozen=True, kw_only=True):
    """A step of the series: tweets by label, and their mean confidence."""

    start: datetime
    tweets: int
    by_label: dict[str, int]
    mean_confidence: float


class Series(Struct, frozen=True):
    """Sentiment and confidence over time; steps without tweets are left out."""

    step: str
    points: tuple[Point, ...]


class UnknownPieces(Struct, frozen=True):
    """Word pieces that the model does not know, of those that the watch counted.

    It counts them in a sample of the tweets; windows count that begin within the span.
    """

    unknown: int
    pieces: int


class DataQuality(Struct, frozen=True, kw_only=True):
    """What the scored tweets of a run are like that were posted from `start` up to `end`.

    `confidence` has how many tweets are in each of ten bins of equal width. `unknown_pieces` is
    null where the watch has counted none.
    """

    run: str
    start: datetime
    end: datetime
    tweets: int
    retweets: int
    mean_confidence: float
    by_label: dict[str, int]
    confidence: tuple[int, ...]
    duplicates: Duplicates
    empty: Empty
    languages: Languages
    dead_letters: tuple[ReasonCount, ...]
    unknown_pieces: UnknownPieces | None
    series: Series
