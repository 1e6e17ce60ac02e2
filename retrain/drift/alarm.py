"""An alarm: which signal left its reference, when, by how much, and at which rate of false alarms.

Two kinds that nobody may mix up: the model may be wrong, or the world has moved.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class AlarmKind(StrEnum):
    """What an alarm means for whoever is woken."""

    MODEL = "model"
    """The model may be wrong: its input or its answers are not those that it was measured on."""

    WORLD = "world"
    """The world has moved: people speak more, less or otherwise of something."""


class Signal(StrEnum):
    """What is watched."""

    LABEL_SHARE = "label_share"
    CONFIDENCE = "confidence"
    LOW_CONFIDENCE = "low_confidence"
    """The 10th percentile of confidence."""

    TEXT_LENGTH = "text_length"
    PIECES_PER_WORD = "pieces_per_word"
    UNKNOWN_PIECES = "unknown_pieces"
    LANGUAGE = "language"
    WORDS = "words"
    """The words that people use, retweets left out."""

    LABEL_DISTRIBUTION = "label_distribution"
    """All labels at once, as the population stability index."""

    AUDITED_ERROR = "audited_error"
    ESTIMATED_ACCURACY = "estimated_accuracy"
    VOLUME = "volume"
    NEW_HASHTAG = "new_hashtag"


class AlarmId(Struct, frozen=True, order=True):
    """What an alarm is of; there is at most one of it raised at any time.

    `subject` names the label, hashtag or language that the signal is of, and is empty for others.
    """

    run: str
    rule: str
    signal: Signal
    subject: str = ""


class Raised(Struct, frozen=True, kw_only=True):
    """A signal has left its reference: `value` was expected to be `reference`, on `tweets` tweets.

    `window_start` and `window_end` are those of the window that decided it; `since` is the start
    of the stretch that differs, as far as the detector can say. `false_alarms_per_year` is the
    stated rate of this alarm while the reference is right.
    """

    id: AlarmId
    kind: AlarmKind
    detector: Annotated[str, Meta(min_length=1)]
    model_sha256: str
    since: datetime
    window_start: datetime
    window_end: datetime
    value: float
    reference: float
    tweets: int
    false_alarms_per_year: float


class Ended(Struct, frozen=True, kw_only=True):
    """A signal is back at its reference."""

    id: AlarmId
    window_start: datetime
    window_end: datetime
    value: float
