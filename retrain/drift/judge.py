"""Judging one closed window: what has left its reference, and what is back at it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from retrain.drift.alarm import Ended, Raised
from retrain.drift.reference import Reference
from retrain.drift.window import Window


class Budget(Struct, frozen=True):
    """How many false alarms a year are accepted, among how many signals of all rules of a run.

    `window` is the length of a window. `count_signals` counts signals.
    """

    false_alarms_per_year: float
    signals: int
    window: timedelta


class WordSamples(Struct, frozen=True):
    """Tweets as sets of hashed words, retweets left out: of a window, and of the reference."""

    of_window: tuple[frozenset[int], ...] = ()
    of_reference: tuple[frozenset[int], ...] = ()


class SignalState(Struct, frozen=True, kw_only=True):
    """What a detector of one signal remembers."""


class SignalStates(Struct, frozen=True, kw_only=True):
    """What is remembered of one run, rule and model; JSON keeps all of it.

    `judged` is the start of the latest window that was judged. A new state is `SignalStates()`.
    """

    judged: datetime | None = None
    signals: dict[str, SignalState] = {}


def count_signals(labels: int, rules: int) -> int:
    """Return how many signals a run with this many labels and rules has."""
    return labels + 12 + rules * (labels + 2)


def judge(
    state: SignalStates,
    window: Window,
    reference: Reference | None,
    budget: Budget,
    *,
    words: WordSamples | None = None,
    audits_wrong: Sequence[bool] = (),
) -> tuple[SignalStates, list[Raised | Ended]]:
    """Return the state after this window, and the alarms that it raised or ended.

    Windows come in the order of time. A repeat of a judged window changes nothing. Windows that
    are missing between two are judged as windows without tweets, so that it does not matter
    whether the caller hands those in. Without a reference nothing is raised.
    """
    del reference, budget, words, audits_wrong
    if state.judged is not None and window.key.start <= state.judged:
        return state, []
    return SignalStates(judged=window.key.start, signals=state.signals), []
