"""Windows and their reference as series of signals. Pure."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from retrain.drift.alarm import AlarmKind, ComparedWith, Signal
from retrain.drift.not_judged import NotJudged
from retrain.drift.reference import Reference, hour_of_week
from retrain.drift.signals import SignalKey, kind_of, observe, shown
from retrain.drift.window import Window


class SeenWindow(Struct, frozen=True, kw_only=True):
    """A signal in one window; `expected` is the reference's level at that hour, where it has one.

    Both are in the unit that people read.
    """

    start: datetime
    value: float
    expected: float | None


class SeenSignal(Struct, frozen=True, kw_only=True):
    """A signal over time. `subject` is the label that a share is of; `kind` what an alarm means."""

    signal: Signal
    subject: str
    kind: AlarmKind
    windows: list[SeenWindow]


class SeenReference(Struct, frozen=True, kw_only=True):
    """What windows are held against: so many windows and tweets of a span of the stream.

    With `compared_with` validation it is the texts that the model was validated on, which have no
    span: `start` and `end` are null then, and `tweets` counts them.
    """

    start: datetime | None
    end: datetime | None
    windows: int
    tweets: int
    compared_with: ComparedWith = ComparedWith.STREAM


class DriftFigures(Struct, frozen=True, kw_only=True):
    """What the watch sees of a run, a rule ("": all tweets) and the model of its newest window.

    Windows that end by `closed_until` are judged; a later one may still grow. `reference` None:
    there is none yet, and nothing is raised. `not_judged` None: every window that is shown and
    closed had tweets enough.
    """

    run: str
    rule: str
    model_sha256: str
    window_s: int
    closed_until: datetime | None
    reference: SeenReference | None
    not_judged: NotJudged | None = None
    signals: list[SeenSignal]


def seen_reference(reference: Reference) -> SeenReference:
    """Return what is told of a reference."""
    is_span = reference.compared_with is ComparedWith.STREAM
    return SeenReference(
        start=reference.start if is_span else None,
        end=reference.end if is_span else None,
        windows=reference.windows,
        tweets=reference.tweets,
        compared_with=reference.compared_with,
    )


def series_of_signals(
    windows: Sequence[Window], rule: str, reference: Reference | None
) -> list[SeenSignal]:
    """Return each signal over these windows of one rule and model, which are in order of time.

    Signals that are distances from the reference, or tests of samples, are left out: their alarms
    tell them.
    """
    labels = sorted({label for window in windows for label in window.counts.by_label})
    series: dict[SignalKey, list[SeenWindow]] = {}
    for window in windows:
        start = window.key.start
        for key, value in observe(window.counts, rule, labels).items():
            baseline = reference.baseline(key) if reference else None
            level = baseline.level(hour_of_week(start)) if baseline else None
            series.setdefault(key, []).append(
                SeenWindow(
                    start=start,
                    value=_rounded(key.signal, value),
                    expected=None if level is None else _rounded(key.signal, level),
                )
            )
    return [
        SeenSignal(
            signal=key.signal, subject=key.subject, kind=kind_of(key.signal, rule), windows=seen
        )
        for key, seen in sorted(series.items())
    ]


def _rounded(signal: Signal, value: float) -> float:
    return round(float(shown(signal, value)), 6)
