"""An alarm in one plain sentence. The two kinds begin differently, wherever they are shown."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from retrain.drift.alarms.stored_alarms import StoredAlarm
from schemas.alarm_events import AlarmKind, ComparedWith, Signal
from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import shown

MEANINGS: Final = {
    AlarmKind.MODEL: "the model may be wrong",
    AlarmKind.WORLD: "the world has moved",
}
"""How every text about an alarm begins."""

WITH_VALIDATION: Final = "compared with the model's validation texts"
"""Said of what is expected until the stream has a reference of its own."""

_MOST_CHARS: Final = 60
_HOUR: Final = timedelta(hours=1)
_NEAR: Final = 0.02


def sentence(alarm: StoredAlarm) -> str:
    """Return what happened, beginning with what kind of alarm it is. Safe on a terminal.

    `the world has moved: negative share of rule airlines is 51 % where 38 % was expected
    (2,140 tweets, hour 14:00 UTC, 2026-11-27)`
    """
    return f"{MEANINGS[alarm.kind]}: {what_happened(alarm)}"


def what_happened(alarm: StoredAlarm) -> str:
    """Return the sentence without the kind, for where that stands in a column of its own."""
    what = _SAID.get(alarm.signal, _said_otherwise)(alarm)
    if alarm.compared_with is ComparedWith.VALIDATION:
        what += f", {WITH_VALIDATION}"
    return f"{what} ({number_of(alarm.tweets, 'tweet')}, {window_text(alarm)})"


def how_it_ended(alarm: StoredAlarm) -> str:
    """Return when an alarm ended, or that it has not."""
    if alarm.ended_window_end is None:
        return "open"
    return f"back since {moment_text(alarm.ended_window_end)}"


def where(alarm: StoredAlarm) -> str:
    """Return which tweets an alarm is about."""
    return f"rule {_text(alarm.rule)}" if alarm.rule else f"all tweets of run {alarm.run}"


def window_text(alarm: StoredAlarm) -> str:
    """Return the window that decided: `hour 14:00 UTC, 2026-11-27`."""
    start, end = (moment.astimezone(UTC) for moment in (alarm.window_start, alarm.window_end))
    if end - start == _HOUR:
        return f"hour {start:%H:%M} UTC, {start:%Y-%m-%d}"
    return f"{moment_text(start)} to {moment_text(end)}"


def moment_text(moment: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _share(name: Callable[[StoredAlarm], str]) -> Callable[[StoredAlarm], str]:
    def said(alarm: StoredAlarm) -> str:
        places = 1 if abs(alarm.value - alarm.reference) < _NEAR else 0
        return (
            f"{name(alarm)} is {100 * alarm.value:.{places}f} % where "
            f"{100 * alarm.reference:.{places}f} % was expected"
        )

    return said


def _number(name: str, places: int) -> Callable[[StoredAlarm], str]:
    def said(alarm: StoredAlarm) -> str:
        return (
            f"{name} of {where(alarm)} is {alarm.value:,.{places}f} where "
            f"{alarm.reference:,.{places}f} was expected"
        )

    return said


def _volume(alarm: StoredAlarm) -> str:
    return (
        f"{where(alarm)} has {number_of(round(alarm.value), 'tweet')} in a window where "
        f"{alarm.reference:,.0f} were expected"
    ).replace("all tweets of run", "run")


def _said_otherwise(alarm: StoredAlarm) -> str:
    """Return the sentence of a signal that this release does not know."""
    subject = f" {_text(alarm.subject)}" if alarm.subject else ""
    return (
        f"{_text(alarm.signal)}{subject} of {where(alarm)} is {alarm.value:g} where "
        f"{alarm.reference:g} was expected"
    )


def _text(text: str) -> str:
    """Return a name from outside as one word, so that it cannot pass for a part of the sentence."""
    safe = shown(text, _MOST_CHARS)
    return safe if re.fullmatch(r"[\w.#@-]+", safe) else f"'{safe.replace(chr(39), chr(0x2019))}'"


_SAID: Final[dict[str, Callable[[StoredAlarm], str]]] = {
    Signal.LABEL_SHARE: _share(lambda alarm: f"{_text(alarm.subject)} share of {where(alarm)}"),
    Signal.CONFIDENCE: _number("mean confidence", 2),
    Signal.LOW_CONFIDENCE: _number("the 10th percentile of confidence", 2),
    Signal.TEXT_LENGTH: _number("the usual length of texts in characters", 0),
    Signal.PIECES_PER_WORD: _number("the number of word pieces per word", 2),
    Signal.UNKNOWN_PIECES: _share(
        lambda alarm: f"share of word pieces unknown to the model in {where(alarm)}"
    ),
    Signal.LANGUAGE: _number("the change of languages (stability index)", 2),
    Signal.WORDS: _share(
        lambda alarm: f"share of tweets with other words than usual in {where(alarm)}"
    ),
    Signal.LABEL_DISTRIBUTION: _number("the change of label shares (stability index)", 2),
    Signal.AUDITED_ERROR: _share(lambda alarm: f"share of audits that disagree in {where(alarm)}"),
    Signal.ESTIMATED_ACCURACY: _share(
        lambda alarm: f"accuracy, estimated from confidence, of {where(alarm)}"
    ),
    Signal.VOLUME: _volume,
    Signal.NEW_HASHTAG: _share(lambda alarm: f"share of #{_text(alarm.subject)} in {where(alarm)}"),
}
