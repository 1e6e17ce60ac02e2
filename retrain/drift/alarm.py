"""An alarm: which signal left its reference, when, by how much, and at which rate of false alarms.

Two kinds that nobody may mix up: the model may be wrong, or the world has moved.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from schemas.alarm_events import AlarmKind, ComparedWith, Signal

__all__ = ["AlarmId", "AlarmKind", "ComparedWith", "Ended", "Raised", "Signal"]


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
    stated rate of this alarm while the reference is right. All numbers are finite.
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
    compared_with: ComparedWith = ComparedWith.STREAM


class Ended(Struct, frozen=True, kw_only=True):
    """A signal is back at its reference."""

    id: AlarmId
    window_start: datetime
    window_end: datetime
    value: float
