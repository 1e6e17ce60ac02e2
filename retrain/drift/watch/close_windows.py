"""Closing windows: each is judged in the order of time, and what that finds is recorded."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import cache
from typing import Final, TypeAlias, TypeGuard

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from retrain.drift.alarm import ComparedWith, Ended, Raised
from retrain.drift.alarm_store import record
from retrain.drift.first_reference import first_reference
from retrain.drift.judge import (
    Budget,
    SignalStates,
    WordSamples,
    count_signals,
    judge,
    ordinary_share,
)
from retrain.drift.reference import Reference, build_reference
from retrain.drift.watch.hashtag_store import (
    Hashtags,
    hashtags_between,
    highest_shares,
    keep_frequent,
)
from retrain.drift.watch.new_audits import take_new_audits
from retrain.drift.watch.reference_store import store_reference, used_reference
from retrain.drift.watch.samples import REFERENCE_SAMPLE, SAMPLE, sample_of
from retrain.drift.watch.seen_tweets import forget_seen
from retrain.drift.watch.window_store import WatchedRun, note_closed, windows_between
from retrain.drift.window import ALL_RULES, Window, WindowCounts, WindowKey
from schemas.failures import Failure
from schemas.setting_views import WatchLimits

_PAGE: Final = 500
_DECODER: Final = msgspec.json.Decoder(SignalStates)

Series = tuple[str, str]
"""Rule and model: what has windows one after the other, a state and a reference."""

ValidationOf: TypeAlias = Callable[[str], WindowCounts | None]
"""The figures of a model's validation texts, by its hash, where its bundle brings some."""


def no_validation(_: str) -> None:
    """Say that no bundle brings figures of its validation texts."""


class Closed(Struct, frozen=True):
    """How many windows were judged, and what that raised or ended."""

    windows: int = 0
    alarms: int = 0


class Judged(Struct, kw_only=True):
    """What is remembered of a series; `first_start` is of its first window that was judged."""

    first_start: datetime
    learns_from: datetime
    states: SignalStates


def close_windows(
    cur: cursor,
    watched: WatchedRun,
    until: datetime,
    limits: WatchLimits,
    validation_of: ValidationOf = no_validation,
) -> Closed:
    """Judge the windows of a run that end by `until`, and that were not judged yet.

    Until a series has a reference of the stream, all rules together are held against what
    `validation_of` has of the model. The caller holds `locks.WATCH`, and commits: windows, states
    and alarms belong together.
    """
    if watched.closed_until is not None and until <= watched.closed_until:
        return Closed()
    windows: dict[Series, list[Window]] = defaultdict(list)
    for window in windows_between(cur, watched.run, watched.closed_until, until):
        windows[window.key.rule, window.key.model_sha256].append(window)
    closing = _Closing(cur, watched, limits, _firsts(cur, watched.run, windows), validation_of)
    hashtags = hashtags_between(cur, watched.run, watched.closed_until, until)
    known = _load(cur, watched.run, windows)
    judged: dict[Series, Judged] = {}
    alarms: list[Raised | Ended] = []
    for series, of_series in sorted(windows.items()):
        judged[series], found = closing.judge(of_series, hashtags, known.get(series))
        alarms += found
    _save(cur, watched.run, judged)
    record(cur, sorted(alarms, key=lambda alarm: (alarm.window_start, alarm.id)))
    keep_frequent(
        cur,
        watched.run,
        [window for of_series in windows.values() for window in of_series],
        least_share=ordinary_share(limits.alarms),
    )
    note_closed(cur, watched.run, until, least_tweets=limits.alarms.least_tweets)
    forget_seen(cur, watched.run, until)
    return Closed(sum(map(len, windows.values())), len(alarms))


class _Closing:
    """What all series of a run share while their windows are judged."""

    def __init__(
        self,
        cur: cursor,
        watched: WatchedRun,
        limits: WatchLimits,
        firsts: dict[str, list[datetime]],
        validation_of: ValidationOf,
    ) -> None:
        self._cur = cur
        self._run = watched.run
        self._window = watched.pace.window
        self._limits = limits
        self._firsts = firsts
        self._validation_of = validation_of
        self._sample = cache(lambda start, end, most: sample_of(cur, watched.run, start, end, most))

    def judge(
        self,
        windows: Sequence[Window],
        hashtags: Mapping[WindowKey, Hashtags],
        judged: Judged | None,
    ) -> tuple[Judged, list[Raised | Ended]]:
        """Judge windows of one series in their order, and return what is remembered from now on."""
        key = windows[0].key
        if judged is None:
            judged = Judged(
                first_start=key.start, learns_from=_midnight(key.start), states=SignalStates()
            )
        reference = used_reference(self._cur, key)
        if reference is not None and reference.window_s != self._window.total_seconds():
            reference = None
        alarms: list[Raised | Ended] = []
        for window in windows:
            if not _is_of_stream(reference):
                reference = self._learn(window, judged) or reference or self._brought(window)
            judged.states, found = judge(
                judged.states,
                window,
                reference,
                self._budget(window),
                limits=self._limits.alarms,
                words=self._words(window, reference),
                audits_wrong=self._audits(window, reference),
                hashtags=hashtags.get(window.key, {}),
            )
            alarms += found
        return judged, alarms

    def _learn(self, window: Window, judged: Judged) -> Reference | None:
        """Make the first reference of a series as soon as it has as many whole days as that takes.

        Where those days hold nothing, others are waited for.
        """
        until = judged.learns_from + timedelta(days=self._limits.learn_days)
        key = window.key
        if key.start < until:
            return None
        series = (key.rule, key.model_sha256)
        learned = windows_between(self._cur, self._run, judged.learns_from, until, series=series)
        try:
            reference = build_reference(
                learned,
                window=self._window,
                hashtags=highest_shares(
                    learned,
                    hashtags_between(
                        self._cur, self._run, judged.learns_from, until, series=series
                    ),
                    least_tweets=self._limits.alarms.least_tweets,
                ),
            )
        except Failure:
            judged.learns_from = _midnight(key.start)
            return None
        store_reference(self._cur, reference, (judged.learns_from, until), chosen=False, use=True)
        return reference

    def _brought(self, window: Window) -> Reference | None:
        """Take the reference that the model's bundle brings, if it brings one."""
        key = window.key
        counts = self._validation_of(key.model_sha256) if key.rule == ALL_RULES else None
        if counts is None:
            return None
        reference = first_reference(
            counts, run=self._run, model_sha256=key.model_sha256, window=self._window
        )
        span = (reference.start, reference.end)
        store_reference(self._cur, reference, span, chosen=False, use=True)
        return reference

    def _audits(self, window: Window, reference: Reference | None) -> list[bool]:
        if not _is_of_stream(reference) or window.key.rule != ALL_RULES:
            return []
        return take_new_audits(self._cur, window.key, window.key.start + self._window)

    def _budget(self, window: Window) -> Budget:
        firsts = self._firsts.get(window.key.model_sha256, [])
        rules = bisect_right(firsts, window.key.start)
        return Budget(
            false_alarms_per_year=self._limits.false_alarms_per_year,
            signals=count_signals(len(window.counts.by_label), rules),
            window=self._window,
        )

    def _words(self, window: Window, reference: Reference | None) -> WordSamples | None:
        if not _is_of_stream(reference) or window.key.rule != ALL_RULES:
            return None
        start = window.key.start
        return WordSamples(
            of_window=self._sample(start, start + self._window, SAMPLE),
            of_reference=self._sample(reference.start, reference.end, REFERENCE_SAMPLE),
        )


def _is_of_stream(reference: Reference | None) -> TypeGuard[Reference]:
    return reference is not None and reference.compared_with is ComparedWith.STREAM


def _firsts(
    cur: cursor, run: str, windows: dict[Series, list[Window]]
) -> dict[str, list[datetime]]:
    """Return since when the rules of a run have windows, by model.

    Thus the number of signals at a window depends on the windows before it, and on nothing else.
    """
    cur.execute(
        "SELECT rule, model_sha256, first_start FROM watch_states WHERE run = %s AND rule <> %s",
        (run, ALL_RULES),
    )
    first = {(rule, model_sha256): start for rule, model_sha256, start in cur}
    for series, of_series in windows.items():
        if series[0] != ALL_RULES:
            first.setdefault(series, of_series[0].key.start)
    by_model: dict[str, list[datetime]] = defaultdict(list)
    for (_, model_sha256), start in first.items():
        by_model[model_sha256].append(start)
    return {model_sha256: sorted(starts) for model_sha256, starts in by_model.items()}


def _load(cur: cursor, run: str, windows: dict[Series, list[Window]]) -> dict[Series, Judged]:
    wanted = sorted(windows)
    cur.execute(
        "SELECT s.rule, s.model_sha256, s.first_start, s.learns_from, s.state::text"
        " FROM unnest(%s::text[], %s::text[]) AS k (rule, model_sha256)"
        " JOIN watch_states AS s ON s.run = %s AND s.rule = k.rule"
        " AND s.model_sha256 = k.model_sha256",
        ([rule for rule, _ in wanted], [model_sha256 for _, model_sha256 in wanted], run),
    )
    return {
        (rule, model_sha256): Judged(
            first_start=first_start, learns_from=learns_from, states=_DECODER.decode(state)
        )
        for rule, model_sha256, first_start, learns_from, state in cur
    }


def _save(cur: cursor, run: str, judged: dict[Series, Judged]) -> None:
    execute_values(
        cur,
        "INSERT INTO watch_states (run, rule, model_sha256, first_start, learns_from, state)"
        " VALUES %s ON CONFLICT (run, rule, model_sha256) DO UPDATE SET"
        " learns_from = excluded.learns_from, state = excluded.state",
        [
            (
                run,
                *series,
                one.first_start,
                one.learns_from,
                msgspec.json.encode(one.states, order="sorted").decode(),
            )
            for series, one in sorted(judged.items())
        ],
        page_size=_PAGE,
    )


def _midnight(moment: datetime) -> datetime:
    """Return the first midnight, in UTC, that is not before a moment."""
    midnight = datetime.combine(moment.date(), time(), moment.tzinfo)
    return midnight if midnight == moment else midnight + timedelta(days=1)
