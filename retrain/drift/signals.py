"""What is read of a window: one number a signal, on a scale where equal moves are alike."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import exp, expm1, log, log1p
from typing import Final

from msgspec import Struct

from retrain.drift.alarm import AlarmKind, ComparedWith, Signal
from retrain.drift.detectors.estimated_accuracy import estimated_accuracy
from retrain.drift.detectors.population_stability import distance, index_of
from retrain.drift.window import ALL_RULES, CONFIDENCE_BINS, WindowCounts
from schemas.setting_views import AlarmLimits

LOW: Final = 0.1
"""The quantile of confidence that is watched beside its mean."""

LEAST_PIECE_WORDS: Final = 200
"""With fewer words that were cut into pieces, a window says nothing of its pieces."""


VALIDATION_LIMITS: Final = AlarmLimits(
    share=0.25, confidence=0.1, pieces=0.2, unknown_pieces=0.02, stability=0.5
)
"""More than tweets of other years differ by, on which the model does about as well: the README of
`detectors` has them."""


class SignalKey(Struct, frozen=True, order=True):
    """A signal and what it is of; in JSON objects it is named by `str`."""

    signal: Signal
    subject: str = ""

    def __str__(self) -> str:
        """Return `label_share:negative`, or `confidence` where there is no subject."""
        return f"{self.signal}:{self.subject}" if self.subject else str(self.signal)

    @classmethod
    def named(cls, name: str) -> "SignalKey":
        """Return the key that `str` gave this name."""
        signal, _, subject = name.partition(":")
        return cls(Signal(signal), subject)


def observe(counts: WindowCounts, rule: str, labels: Iterable[str]) -> dict[SignalKey, float]:
    """Return what is watched of a window of this rule; of one without tweets only its volume.

    Of all tweets together the shares, the confidence and the texts are watched; of a rule its
    shares, its volume and, by its confidence, whether the model is at home there. Retweets count
    nowhere.
    """
    observed = {SignalKey(Signal.VOLUME): log1p(counts.originals)}
    if not counts.judged:
        return observed
    for label in labels:
        share = counts.by_label.get(label, 0) / counts.judged
        observed[SignalKey(Signal.LABEL_SHARE, label)] = share
    if rule != ALL_RULES:
        observed[SignalKey(Signal.ESTIMATED_ACCURACY)] = estimated_accuracy(counts)
        return observed
    return observed | dict(_of_the_stream(counts))


def _of_the_stream(counts: WindowCounts) -> Iterator[tuple[SignalKey, float]]:
    yield SignalKey(Signal.CONFIDENCE), estimated_accuracy(counts)
    yield SignalKey(Signal.LOW_CONFIDENCE), quantile(counts.confidence_histogram, LOW)
    yield SignalKey(Signal.TEXT_LENGTH), log(max(1.0, counts.characters / counts.judged))
    if counts.piece_words >= LEAST_PIECE_WORDS and counts.pieces:
        yield SignalKey(Signal.PIECES_PER_WORD), counts.pieces / counts.piece_words
        yield SignalKey(Signal.UNKNOWN_PIECES), counts.unknown_pieces / counts.pieces


def quantile(histogram: tuple[int, ...], part: float) -> float:
    """Return the confidence below which this part lies, evenly spread within its bin."""
    wanted = part * sum(histogram)
    for place, until in enumerate(accumulate(histogram)):
        if until >= wanted and histogram[place]:
            within = (wanted - (until - histogram[place])) / histogram[place]
            return (place + within) / CONFIDENCE_BINS
    return 1.0


def kind_of(signal: Signal, rule: str) -> AlarmKind:
    """Return what an alarm of this signal means."""
    world = {Signal.VOLUME, Signal.NEW_HASHTAG}
    if signal in world or (rule != ALL_RULES and signal is Signal.LABEL_SHARE):
        return AlarmKind.WORLD
    return AlarmKind.MODEL


def effect_of(
    signal: Signal, limits: AlarmLimits, compared_with: ComparedWith = ComparedWith.STREAM
) -> float:
    """Return the least move of this signal that anybody would care about, on its own scale.

    Validation texts are of other subjects and years than a stream: more is asked for then.
    """
    effect = _effect_of(signal, limits)
    if compared_with is ComparedWith.VALIDATION:
        return max(effect, _effect_of(signal, VALIDATION_LIMITS))
    return effect


def _effect_of(signal: Signal, limits: AlarmLimits) -> float:
    return {
        Signal.LABEL_SHARE: limits.share,
        Signal.CONFIDENCE: limits.confidence,
        Signal.LOW_CONFIDENCE: limits.confidence,
        Signal.ESTIMATED_ACCURACY: limits.confidence,
        Signal.TEXT_LENGTH: log1p(limits.length),
        Signal.PIECES_PER_WORD: limits.pieces,
        Signal.UNKNOWN_PIECES: limits.unknown_pieces,
        Signal.VOLUME: log(limits.volume_ratio),
        Signal.LABEL_DISTRIBUTION: _stability(limits),
        Signal.LANGUAGE: _stability(limits),
        Signal.WORDS: limits.new_words,
        Signal.NEW_HASHTAG: limits.new_hashtag,
    }[signal]


def _stability(limits: AlarmLimits) -> float:
    return float(distance(limits.stability) - distance(0.0))


_ONE_WAY: Final = {
    Signal.LABEL_DISTRIBUTION: 1,
    Signal.LANGUAGE: 1,
    Signal.ESTIMATED_ACCURACY: -1,
}
_ONE_WAY_FROM_VALIDATION: Final = {
    **_ONE_WAY,
    Signal.CONFIDENCE: -1,
    Signal.LOW_CONFIDENCE: -1,
}


def one_way(signal: Signal, compared_with: ComparedWith = ComparedWith.STREAM) -> int:
    """Return 1 or -1 where only rises or only falls of this signal raise an alarm, else 0.

    A stream that is easier for the model than its validation texts is nothing to wake anybody for.
    """
    if compared_with is ComparedWith.VALIDATION:
        return _ONE_WAY_FROM_VALIDATION.get(signal, 0)
    return _ONE_WAY.get(signal, 0)


def shown(signal: Signal, value: float) -> float:
    """Return a value in the unit that people read: tweets, characters, the index itself."""
    match signal:
        case Signal.VOLUME:
            return max(0.0, expm1(value))
        case Signal.TEXT_LENGTH:
            return exp(value)
        case Signal.LABEL_DISTRIBUTION | Signal.LANGUAGE:
            return index_of(value)
        case _:
            return value
