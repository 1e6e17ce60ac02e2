"""Judging one closed window: what has left its reference, and what is back at it.

Every signal goes the same way: its distance from the level of this hour, in standard deviations;
what the window before announced is taken out; the e-detector sums the evidence; the gate asks for
an effect and for persistence. The budget is divided evenly: each of J signals may raise a false
alarm once in J / (false alarms a year) years on average.

What that rate rests on:
- The reference is right: the levels are those of the stream, daily and weekly cycle included. A
  stream that has always changed since is off, and an alarm about it is not false.
- The reference is long enough. One of two days knows the daily cycle badly; of a week is fair; from
  four weeks on the hours of the week are told apart.
- Distances are no wilder than a normal variable after clipping, beyond what the window before says.
  Simulated streams with heavy tails and storms keep the rate (the table in detectors/README.md).
The error alarm rests on none of these, only on audits being a uniform sample.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import expm1, sqrt
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from retrain.drift.alarm import AlarmId, Ended, Raised, Signal
from retrain.drift.baseline import Baseline, surprise_of
from retrain.drift.detectors.alarm_gate import Gate, GateLimits, step
from retrain.drift.detectors.e_detector import CLIP, EDetector
from retrain.drift.detectors.error_alarm import ErrorDetector
from retrain.drift.detectors.new_hashtag import HASHTAGS_OF_A_TWEET, HashtagDetector
from retrain.drift.detectors.permutation_test import SAMPLE_TWEETS, PValueDetector, compare
from retrain.drift.reference import Reference, hour_of_week, label_distance, language_distance
from retrain.drift.signals import SignalKey, effect_of, kind_of, observe, one_way, shown
from retrain.drift.window import ALL_RULES, Window, WindowCounts, WindowKey
from schemas.setting_views import AlarmLimits

YEAR: Final = timedelta(days=365.25)
MOST_MISSING: Final = timedelta(days=30)
"""Of a longer gap between two windows only the latest part is judged as empty windows."""

LEAST_WORD_SAMPLE: Final = 50
CHANCE_IN_EFFECT: Final = 4
"""Chance adds (categories - 1) / tweets to a stability index; the effect is so many times that, or
the window has too few tweets for it. With 86 tweets an hour it alarmed on shuffled tweets."""

LEAST_AUDITS: Final = 20
RECENT_AUDITS: Final = 100
"""The error alarm ends when no more of so many latest audits are wrong than is tolerated."""

SIGNALS_OF_ALL: Final = 11
"""Beside the share of each label: confidence, its low end, length, two of word pieces, all labels,
languages, words, volume, new hashtags, audited error."""

SIGNALS_OF_A_RULE: Final = 3
"""Beside the share of each label: volume, new hashtags and estimated accuracy."""

ORDINARY: Final = 0.25
"""Of the share that a new hashtag must have: up to so much every hashtag may have."""

KNOWN: Final = 0.5
"""Of that share: a hashtag that reached it in a window of the reference is not new."""

MOST_NEW_HASHTAGS: Final = 10
"""So many hashtags of one rule may be raised at once, the most frequent ones."""


class Budget(Struct, frozen=True):
    """How many false alarms a year are accepted, among how many signals of all rules of a run.

    `window` is the length of a window. `count_signals` counts signals.
    """

    false_alarms_per_year: float
    signals: int
    window: timedelta

    @property
    def of_a_signal(self) -> float:
        """False alarms a year that one signal may raise."""
        return self.false_alarms_per_year / self.signals

    @property
    def run_length(self) -> float:
        """Windows between two false alarms of one signal, on average."""
        return YEAR / self.window / self.of_a_signal


class WordSamples(Struct, frozen=True):
    """Tweets as sets of hashed words, retweets left out: of a window, and of the reference.

    Each a uniform sample by hash of the tweets' ids, so that every process draws the same. The
    reference's should be larger than `SAMPLE_TWEETS`: each window is compared with others of it.
    """

    of_window: tuple[frozenset[int], ...] = ()
    of_reference: tuple[frozenset[int], ...] = ()


class SignalState(Struct, frozen=True, kw_only=True):
    """What is remembered of one signal.

    `at` is the latest window, and `announced` what it says of the next one's distance from its
    level, in standard deviations; `recent` are the
    latest deviations in the signal's own unit. The others are the gate's.
    """

    at: datetime
    announced: float
    evidence: EDetector
    recent: tuple[float, ...]
    page: tuple[float, float]
    stretch: tuple[int, int]
    raised: int


class WordsState(Struct, frozen=True, kw_only=True):
    """What is remembered of the permutation tests; `since` is when the evidence began to grow."""

    evidence: PValueDetector = PValueDetector()
    recent: tuple[float, ...] = ()
    since: datetime | None = None
    raised: bool = False


class AuditState(Struct, frozen=True, kw_only=True):
    """What is remembered of audits; `since` is when the evidence began to grow."""

    evidence: ErrorDetector = ErrorDetector()
    recent: tuple[bool, ...] = ()
    since: datetime | None = None
    raised: bool = False


class HashtagState(Struct, frozen=True, kw_only=True):
    """What is remembered of a hashtag that is more frequent than an ordinary one.

    `recent` are its latest shares; `since` is when the evidence began to grow.
    """

    evidence: HashtagDetector = HashtagDetector()
    recent: tuple[float, ...] = ()
    since: datetime | None = None
    raised: bool = False


class SignalStates(Struct, frozen=True, kw_only=True):
    """What is remembered of one run, rule and model; JSON keeps all of it.

    `judged` is the start of the latest window that was judged, and `reference` the span of the
    reference that it was held against. A new state is `SignalStates()`.
    """

    judged: datetime | None = None
    reference: tuple[datetime, datetime] | None = None
    signals: dict[str, SignalState] = {}
    words: WordsState = WordsState()
    audits: AuditState = AuditState()
    hashtags: dict[str, HashtagState] = {}


def ordinary_share(limits: AlarmLimits) -> float:
    """Return up to which share of the tweets a hashtag is an ordinary one."""
    return ORDINARY * limits.new_hashtag


def count_signals(labels: int, rules: int) -> int:
    """Return how many signals a run with this many labels and rules has."""
    return labels + SIGNALS_OF_ALL + rules * (labels + SIGNALS_OF_A_RULE)


def judge(
    state: SignalStates,
    window: Window,
    reference: Reference | None,
    budget: Budget,
    *,
    limits: AlarmLimits | None = None,
    words: WordSamples | None = None,
    audits_wrong: Sequence[bool] = (),
    hashtags: Mapping[str, int] | None = None,
) -> tuple[SignalStates, list[Raised | Ended]]:
    """Return the state after this window, and the alarms that it raised or ended.

    Windows come in the order of time. A repeat of a judged window changes nothing. Windows that
    are missing between two are judged as windows without tweets, so that it does not matter
    whether the caller hands those in. Without a reference nothing is raised; with another one than
    before, what was raised against the old one ends. `audits_wrong` says of each audit since the
    window before, in the order of labelling, whether person and model disagree. `hashtags` counts
    the window's tweets, retweets left out, by hashtag.

    Raises `ValueError` for a reference of another rule, model or length of windows.
    """
    start = window.key.start
    if state.judged is not None and start <= state.judged:
        return state, []
    if reference is None:
        return SignalStates(judged=start), []
    if (reference.rule, reference.model_sha256, reference.window_s) != (
        window.key.rule,
        window.key.model_sha256,
        budget.window.total_seconds(),
    ):
        raise ValueError("this reference is of another rule, model or length of windows")
    court = _Court(reference, budget, limits or AlarmLimits())
    told: list[Raised | Ended] = []
    span = (reference.start, reference.end)
    if state.reference not in (None, span):
        told += court.ended_by_new_reference(state, window)
        state = SignalStates(judged=state.judged)
    signals = dict(state.signals)
    for missing in _missing(state.judged, window, budget.window):
        told += court.judge_counts(signals, missing)
    told += court.judge_counts(signals, window)
    of_words, words_told = court.judge_words(state.words, window, words)
    of_audits, audits_told = court.judge_audits(state.audits, window, audits_wrong)
    of_hashtags, hashtags_told = court.judge_hashtags(state.hashtags, window, hashtags or {})
    return SignalStates(
        judged=start,
        reference=span,
        signals=signals,
        words=of_words,
        audits=of_audits,
        hashtags=of_hashtags,
    ), [*told, *words_told, *audits_told, *hashtags_told]


def _missing(judged: datetime | None, window: Window, length: timedelta) -> Iterator[Window]:
    """Yield empty windows for the time between the latest judged window and this one."""
    if judged is None:
        return
    key = window.key
    start = max(judged, key.start - MOST_MISSING - length) + length
    while start < key.start:
        yield Window(WindowKey(key.run, key.rule, key.model_sha256, start), WindowCounts())
        start += length


@dataclass(frozen=True)
class _Lane:
    """One signal in one window, before the step."""

    key: SignalKey
    value: float
    level: float
    w: float
    announced: float
    before: SignalState | None


class _Court:
    """What all signals of a window are judged by."""

    def __init__(self, reference: Reference, budget: Budget, limits: AlarmLimits) -> None:
        self._reference = reference
        self._budget = budget
        self._limits = limits
        self._gate = GateLimits(limits.raise_windows, max(limits.raise_windows, limits.end_windows))

    def judge_counts(self, signals: dict[str, SignalState], window: Window) -> list[Raised | Ended]:
        """Move the signals that this window says something of; return what they raised or ended."""
        lanes = list(self._lanes(signals, window))
        if not lanes:
            return []
        gate = Gate(
            recent=np.array([self._recent(lane.before) for lane in lanes]),
            page=np.array([lane.before.page if lane.before else (0.0, 0.0) for lane in lanes]),
            stretch=np.array([lane.before.stretch if lane.before else (0, 0) for lane in lanes]),
            raised=np.array([lane.before.raised if lane.before else 0 for lane in lanes]),
        )
        evidence = [lane.before.evidence if lane.before else EDetector() for lane in lanes]
        after, log1p_r = step(
            gate,
            np.array([one.log1p_r for one in evidence]),
            w=np.array([lane.w for lane in lanes]),
            deviation=np.array([lane.value - lane.level for lane in lanes]),
            threshold=np.full(len(lanes), self._budget.run_length),
            effect=np.array(
                [
                    effect_of(lane.key.signal, self._limits, self._reference.compared_with)
                    for lane in lanes
                ]
            ),
            limits=self._gate,
            one_way=np.array(
                [one_way(lane.key.signal, self._reference.compared_with) for lane in lanes]
            ),
        )
        told: list[Raised | Ended] = []
        for place, lane in enumerate(lanes):
            now = SignalState(
                at=window.key.start,
                announced=lane.announced,
                evidence=EDetector(tuple(map(tuple, log1p_r[place].tolist()))),
                recent=tuple(value for value in after.recent[place].tolist() if value == value),  # noqa: PLR0124  NaN is not itself
                page=tuple(after.page[place].tolist()),
                stretch=tuple(after.stretch[place].tolist()),
                raised=int(after.raised[place]),
            )
            signals[str(lane.key)] = now
            was = lane.before.raised if lane.before else 0
            if now.raised and not was:
                windows = now.stretch[0 if now.raised > 0 else 1]
                since = window.key.start - (windows - 1) * self._budget.window
                told.append(
                    self._raised(window, lane.key, "e_detector", since, lane.value, lane.level)
                )
            elif was and not now.raised:
                told.append(self._ended(window, lane.key, lane.value))
        return told

    def judge_words(
        self, state: WordsState, window: Window, words: WordSamples | None
    ) -> tuple[WordsState, list[Raised | Ended]]:
        """Compare the words of the window with the reference's, if there are enough of both."""
        if words is None or min(map(len, (words.of_window, words.of_reference))) < max(
            LEAST_WORD_SAMPLE, self._limits.least_tweets
        ):
            return state, []
        rng = np.random.default_rng(_seed(window.key))
        pool = words.of_reference
        drawn = rng.permutation(len(pool))[:SAMPLE_TWEETS].tolist()
        found = compare(words.of_window, [pool[place] for place in drawn], rng)
        evidence = state.evidence.update(found.p)
        kept = self._gate.end_windows
        recent = (*state.recent, found.new_share)[-kept:]
        grows = evidence.evidence > 1
        since = (state.since or window.key.start) if grows else None
        key, effect = SignalKey(Signal.WORDS), effect_of(Signal.WORDS, self._limits)
        latest = recent[-self._gate.raise_windows :]
        if state.raised:
            if len(recent) == kept and _mean(recent) <= effect / 2:
                return WordsState(recent=recent), [self._ended(window, key, found.new_share)]
        elif (
            evidence.evidence >= self._budget.run_length
            and len(latest) == self._gate.raise_windows
            and _mean(latest) >= effect
        ):
            raised = self._raised(
                window, key, "permutation_test", since or window.key.start, found.new_share, 0.0
            )
            return _words(evidence, recent, since, raised=True), [raised]
        return _words(evidence, recent, since, raised=state.raised), []

    def judge_audits(
        self, state: AuditState, window: Window, wrong: Sequence[bool]
    ) -> tuple[AuditState, list[Raised | Ended]]:
        """Move the error alarm by each audit."""
        tolerated = self._reference.tolerated_error
        if tolerated is None or not 0 < tolerated < 1:
            return state, []
        told: list[Raised | Ended] = []
        key = SignalKey(Signal.AUDITED_ERROR)
        run_length = self._limits.audits_per_day * (YEAR / timedelta(days=1))
        run_length /= self._budget.of_a_signal
        for one in wrong:
            evidence = state.evidence.update(one, tolerated=tolerated)
            recent = (*state.recent, one)[-RECENT_AUDITS:]
            since = (state.since or window.key.start) if evidence.evidence > 1 else None
            state = AuditState(evidence=evidence, recent=recent, since=since, raised=state.raised)
            if state.raised and len(recent) == RECENT_AUDITS and _mean(recent) <= tolerated:
                state = AuditState(recent=recent)
                told.append(self._ended(window, key, _mean(recent)))
            elif (
                not state.raised
                and evidence.evidence >= run_length
                and len(recent) >= LEAST_AUDITS
                and _mean(recent) > tolerated
            ):
                state = AuditState(evidence=evidence, recent=recent, since=since, raised=True)
                began = since or window.key.start
                raised = self._raised(window, key, "error_alarm", began, _mean(recent), tolerated)
                told.append(raised)
        return state, told

    def judge_hashtags(
        self, states: Mapping[str, HashtagState], window: Window, hashtags: Mapping[str, int]
    ) -> tuple[dict[str, HashtagState], list[Raised | Ended]]:
        """Move what is known of each hashtag that the reference hardly has.

        Without enough tweets nothing moves, as of the other signals.
        """
        known, tweets = self._reference.hashtags, window.counts.originals
        if known is None or tweets < max(1, self._limits.least_tweets):
            return dict(states), []
        effect, ordinary = self._limits.new_hashtag, ordinary_share(self._limits)
        frequent = {
            hashtag
            for hashtag, having in hashtags.items()
            if having >= ordinary * tweets and known.get(hashtag, 0.0) < KNOWN * effect
        }
        after: dict[str, HashtagState] = {}
        told: list[Raised | Ended] = []
        raised = sum(state.raised for state in states.values())
        names = sorted(frequent | states.keys(), key=lambda name: (-hashtags.get(name, 0), name))
        for hashtag in names:
            before, having = states.get(hashtag, HashtagState()), hashtags.get(hashtag, 0)
            state = self._with_window(before, window, having)
            key = SignalKey(Signal.NEW_HASHTAG, hashtag)
            if before.raised:
                ends = len(state.recent) == self._gate.end_windows
                if ends and _mean(state.recent) <= effect / 2:
                    told.append(self._ended(window, key, having / tweets))
                else:
                    after[hashtag] = msgspec.structs.replace(state, raised=True)
            elif raised < MOST_NEW_HASHTAGS and self._is_new(state):
                raised += 1
                after[hashtag] = msgspec.structs.replace(state, raised=True)
                since, level = state.since or window.key.start, known.get(hashtag, 0.0)
                told.append(self._raised(window, key, "new_hashtag", since, having / tweets, level))
            elif state.since is not None:
                after[hashtag] = state
        return after, told

    def _with_window(self, before: HashtagState, window: Window, having: int) -> HashtagState:
        evidence = before.evidence.update(
            having,
            window.counts.originals,
            ordinary=ordinary_share(self._limits),
            new=self._limits.new_hashtag,
        )
        share = having / window.counts.originals
        return HashtagState(
            evidence=evidence,
            recent=(*before.recent, share)[-self._gate.end_windows :],
            since=(before.since or window.key.start) if evidence.evidence > 1 else None,
        )

    def _is_new(self, state: HashtagState) -> bool:
        possible = HASHTAGS_OF_A_TWEET / ordinary_share(self._limits)
        latest = state.recent[-self._gate.raise_windows :]
        return (
            state.evidence.evidence >= possible * self._budget.run_length
            and len(latest) == self._gate.raise_windows
            # A burst of one window would lift the mean of three.
            and min(latest) >= self._limits.new_hashtag / 2
            and _mean(latest) >= self._limits.new_hashtag
        )

    def ended_by_new_reference(self, state: SignalStates, window: Window) -> list[Raised | Ended]:
        """Return the ends of what was raised against another reference."""
        observed = self._observed(window)
        names = [SignalKey.named(name) for name, one in state.signals.items() if one.raised]
        if state.words.raised:
            names.append(SignalKey(Signal.WORDS))
        if state.audits.raised:
            names.append(SignalKey(Signal.AUDITED_ERROR))
        names += [
            SignalKey(Signal.NEW_HASHTAG, name)
            for name, one in sorted(state.hashtags.items())
            if one.raised
        ]
        return [self._ended(window, key, observed.get(key, 0.0)) for key in names]

    def _lanes(self, signals: dict[str, SignalState], window: Window) -> Iterator[_Lane]:
        hour = hour_of_week(window.key.start)
        for key, value in sorted(self._observed(window).items()):
            baseline = self._reference.baseline(key)
            if baseline is None:
                continue
            level = baseline.level(hour)
            if not self._is_enough(key, window.counts, level):
                continue
            z = (value - level) / _scale(key, baseline, window.counts, level)
            before = signals.get(str(key))
            announced = 0.0
            if before is not None:
                gap = max(1, round((window.key.start - before.at) / self._budget.window))
                announced = before.announced * baseline.memory ** (gap - 1)
            left, next_one = surprise_of(
                np.array(z), np.array(announced), baseline.memory, baseline.gain
            )
            w = min(max(float(left) / baseline.surprise, -CLIP), CLIP)
            yield _Lane(key, value, level, w, float(next_one), before)

    def _observed(self, window: Window) -> dict[SignalKey, float]:
        counts, reference = window.counts, self._reference
        observed = observe(counts, window.key.rule, reference.labels)
        if window.key.rule == ALL_RULES and counts.judged:
            expected = {
                label: baseline.level(hour_of_week(window.key.start))
                for label in reference.labels
                if (baseline := reference.baseline(SignalKey(Signal.LABEL_SHARE, label)))
            }
            observed[SignalKey(Signal.LABEL_DISTRIBUTION)] = label_distance(counts, expected)
            observed[SignalKey(Signal.LANGUAGE)] = language_distance(counts, reference.languages)
        return observed

    def _is_enough(self, key: SignalKey, counts: WindowCounts, level: float) -> bool:
        tweets = float(counts.judged)
        if key.signal is Signal.VOLUME:
            tweets = max(float(counts.originals), expm1(level))
        elif key.signal in (Signal.LABEL_DISTRIBUTION, Signal.LANGUAGE):
            known = len(self._reference.labels), len(self._reference.languages)
            categories = known[key.signal is Signal.LANGUAGE]
            if tweets * self._limits.stability < CHANCE_IN_EFFECT * (categories - 1):
                return False
        return tweets >= self._limits.least_tweets

    def _recent(self, state: SignalState | None) -> list[float]:
        kept = list(state.recent)[-self._gate.end_windows :] if state else []
        return [float("nan")] * (self._gate.end_windows - len(kept)) + kept

    def _raised(
        self,
        window: Window,
        key: SignalKey,
        detector: str,
        since: datetime,
        value: float,
        level: float,
    ) -> Raised:
        return Raised(
            id=AlarmId(window.key.run, window.key.rule, key.signal, key.subject),
            kind=kind_of(key.signal, window.key.rule),
            detector=detector,
            model_sha256=window.key.model_sha256,
            since=since,
            window_start=window.key.start,
            window_end=window.key.start + self._budget.window,
            value=shown(key.signal, value),
            reference=shown(key.signal, level),
            tweets=window.counts.judged,
            false_alarms_per_year=self._budget.of_a_signal,
            compared_with=self._reference.compared_with,
        )

    def _ended(self, window: Window, key: SignalKey, value: float) -> Ended:
        return Ended(
            id=AlarmId(window.key.run, window.key.rule, key.signal, key.subject),
            window_start=window.key.start,
            window_end=window.key.start + self._budget.window,
            value=shown(key.signal, value),
        )


def _scale(key: SignalKey, baseline: Baseline, counts: WindowCounts, level: float) -> float:
    """Return the standard deviation of this window: few tweets say less."""
    if key.signal is Signal.VOLUME:
        # Of a Poisson count's logarithm, at the count expected.
        return max(baseline.scale, 1 / sqrt(expm1(level) + 1))
    return baseline.scale * sqrt(max(1.0, baseline.typical_tweets / counts.judged))


def _words(
    evidence: PValueDetector, recent: tuple[float, ...], since: datetime | None, *, raised: bool
) -> WordsState:
    return WordsState(evidence=evidence, recent=recent, since=since, raised=raised)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _seed(key: WindowKey) -> int:
    """Return a seed that only the window decides, so that a rerun gives the same p."""
    told = "\0".join((key.run, key.rule, key.model_sha256, key.start.isoformat()))
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")
