"""The events of the topic `alarms`: what the watch raised, and what it ended.

Past tense, immutable, and changed as the others are: a later field needs a default.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from schemas.codec import RUN_HEADER, TYPE_HEADER, Headers
from schemas.events import Moment, RunName


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


class ComparedWith(StrEnum):
    """What an alarm takes for usual."""

    STREAM = "stream"
    """A span of the stream itself."""

    VALIDATION = "validation"
    """The texts that the model was validated on, until the stream has a reference of its own."""


_SignalName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="What is watched. Later releases may add signals.",
        examples=[signal.value for signal in Signal],
    ),
]
AlarmKey = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
"""Identifies an alarm: the same one has the same key, however often it is raised or published."""


class AlarmEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What both events say: which alarm it is, and the window that decided.

    `rule` is empty where all tweets of the run are meant. `subject` names the label, hashtag or
    language that the signal is of, and is empty for others.
    """

    alarm_id: AlarmKey
    run: RunName
    rule: str = ""
    kind: AlarmKind
    signal: _SignalName
    subject: str = ""
    window_start: Moment
    window_end: Moment
    value: float


class AlarmRaised(
    AlarmEvent, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """A signal left its reference: `value` was seen where `reference` was expected.

    `since` is the start of the stretch that differs. `false_alarms_per_year` is the stated rate of
    this alarm while its reference is right. No rate can be stated for `compared_with` validation:
    nobody knows how far this stream's windows stray from those texts.
    """

    detector: Annotated[str, Meta(min_length=1, max_length=100)]
    model_sha256: str
    since: Moment
    reference: float
    tweets: Annotated[int, Meta(ge=0)]
    false_alarms_per_year: float
    compared_with: ComparedWith = ComparedWith.STREAM
    raised_at: Moment


class AlarmEnded(
    AlarmEvent, frozen=True, kw_only=True, omit_defaults=True, tag=True, tag_field="type"
):
    """A signal is back at its reference."""

    ended_at: Moment


AlarmMessage: TypeAlias = AlarmRaised | AlarmEnded

encode_alarm: Final[Callable[[AlarmMessage], bytes]] = msgspec.json.Encoder().encode
"""Returns the event's JSON, UTF-8, fields in the order in which they are declared."""

decode_alarm: Final[Callable[[bytes], AlarmMessage]] = msgspec.json.Decoder(AlarmMessage).decode
"""Returns the event; raises `msgspec.MsgspecError` on what is none."""


def alarm_headers(event: AlarmMessage) -> Headers:
    """Return run and type, so that a reader can choose without decoding the value."""
    return [(RUN_HEADER, event.run.encode()), (TYPE_HEADER, type(event).__name__.encode())]
