"""What a watch says of windows: alarms of what moved, none of what only bursts or stops."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.alarm import AlarmKind, Ended, Raised, Signal
from retrain.drift.judge import Budget, SignalStates, WordSamples, count_signals, judge
from retrain.drift.reference import Reference, build_reference
from retrain.drift.signals import quantile
from retrain.drift.window import ALL_RULES, Window, WindowCounts, WindowKey
from schemas.failures import Failure
from schemas.setting_views import AlarmLimits
from tests.drift_table.streams import REFERENCE_H, simulate
from tests.drift_table.years import alarms_of, lanes_of

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = 168
BUDGET = Budget(1.0, count_signals(labels=3, rules=0), HOUR)
Told = list[tuple[int, Raised | Ended]]


def counts_of(
    hour: int,
    *,
    negative: float = 0.3,
    confidence: float = 0.75,
    tweets: int = 1_000,
    language: str = "en",
    retweets: int = 0,
) -> WindowCounts:
    """Return an hour with a daily cycle and chance of its own: the same for the same hour."""
    rng = np.random.default_rng(hour)
    share = negative + 0.04 * float(np.cos(2 * np.pi * hour / 24))
    labels = rng.multinomial(tweets, [share, 0.7 - share, 0.3]).tolist()
    sure = np.clip(rng.normal(confidence, 0.15, tweets), 0.34, 0.999)
    return WindowCounts(
        tweets=tweets + retweets,
        retweets=retweets,
        by_label=dict(zip(("negative", "neutral", "positive"), labels, strict=True)),
        confidence_micros=int(sure.sum() * 1_000_000),
        confidence_histogram=tuple(np.bincount((sure * 100).astype(int), minlength=100).tolist()),
        characters=int(rng.normal(90, 1) * tweets),
        pieces=1_300,
        unknown_pieces=2,
        piece_words=1_000,
        by_language={language: tweets},
    )


def window(hour: int, counts: WindowCounts, rule: str = ALL_RULES) -> Window:
    return Window(WindowKey("live", rule, "model", MONDAY + hour * HOUR), counts)


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Two weeks of quiet hours."""
    return build_reference(window(hour, counts_of(hour)) for hour in range(2 * WEEK))


def run(
    reference: Reference | None,
    hours: Iterable[int],
    counts: Callable[[int], WindowCounts] = counts_of,
    state: SignalStates | None = None,
) -> tuple[SignalStates, Told]:
    state, told = state or SignalStates(), []
    for hour in hours:
        state, now = judge(state, window(hour, counts(hour)), reference, BUDGET)
        told += [(hour, one) for one in now]
    return state, told


def signals(told: Told, kind: type[Raised] | type[Ended] = Raised) -> set[str]:
    return {f"{one.id.signal}:{one.id.subject}" for _, one in told if isinstance(one, kind)}


START = 2 * WEEK


def test_a_quiet_stream_raises_nothing_for_a_month(reference: Reference) -> None:
    assert run(reference, range(START, START + 30 * 24))[1] == []


def test_a_risen_share_is_found_within_hours_and_ends_once_it_is_back(
    reference: Reference,
) -> None:
    def counts(hour: int) -> WindowCounts:
        return counts_of(hour, negative=0.4 if START + 100 <= hour < START + 160 else 0.3)

    told = run(reference, range(START, START + 300), counts)[1]
    raised = [(hour, one) for hour, one in told if isinstance(one, Raised)]
    hour, alarm = next((at, one) for at, one in raised if one.id.subject == "negative")
    assert hour - (START + 100) <= 12
    assert abs(alarm.since - (MONDAY + (START + 100) * HOUR)) <= 3 * HOUR
    assert (alarm.kind, alarm.detector) == (AlarmKind.MODEL, "e_detector")
    assert alarm.value - alarm.reference > 0.05
    assert alarm.false_alarms_per_year == pytest.approx(1 / BUDGET.signals)
    ends = {one.id: at for at, one in told if isinstance(one, Ended)}
    assert ends.keys() == {one.id for _, one in raised}
    assert min(ends.values()) >= START + 160


@pytest.mark.parametrize(("hours", "is_found"), [(1, False), (4, True)])
def test_of_twenty_tweets_an_hour_a_changed_day_is_found_in_longer_windows_alone(
    hours: int, is_found: bool
) -> None:
    length = hours * HOUR
    a_day = 24 // hours

    def of_span(place: int) -> Window:
        negative = 0.7 if place // a_day == 9 else 0.35
        rng = np.random.default_rng(place)
        tweets = int(rng.poisson(20 * hours))
        labels = rng.multinomial(tweets, [negative, (1 - negative) / 2, (1 - negative) / 2])
        sure = np.bincount((rng.beta(8, 3, tweets) * 100).astype(int), minlength=100)
        counts = WindowCounts(
            tweets=tweets,
            by_label=dict(zip(("negative", "neutral", "positive"), labels.tolist(), strict=True)),
            confidence_micros=tweets * 730_000,
            confidence_histogram=tuple(sure.tolist()),
            characters=90 * tweets,
            by_language={"en": tweets},
        )
        return Window(WindowKey("live", ALL_RULES, "model", MONDAY + place * length), counts)

    week = 7 * a_day
    sparse = build_reference(map(of_span, range(week)), window=length)
    budget = Budget(1.0, BUDGET.signals, length)
    state, raised = SignalStates(), set[str]()
    for place in range(week, week + 5 * a_day):
        state, told = judge(state, of_span(place), sparse, budget)
        raised |= {str(one.id.signal) for one in told if isinstance(one, Raised)}
    assert (Signal.LABEL_SHARE in raised, raised <= {Signal.LABEL_SHARE}) == (is_found, True)


def test_less_confidence_and_another_language_may_mean_that_the_model_is_wrong(
    reference: Reference,
) -> None:
    def less_sure(hour: int) -> WindowCounts:
        return counts_of(hour, confidence=0.69)

    def another_language(hour: int) -> WindowCounts:
        return counts_of(hour, language="xx")

    assert "confidence:" in signals(run(reference, range(START, START + 12), less_sure)[1])
    told = run(reference, range(START, START + 12), another_language)[1]
    assert signals(told) == {"language:"}
    assert {one.kind for _, one in told if isinstance(one, Raised)} == {AlarmKind.MODEL}


def test_an_outage_of_a_day_is_an_alarm_of_volume_and_no_drift(reference: Reference) -> None:
    hours = [hour for hour in range(START, START + 200) if not 50 <= hour - START < 74]
    told = run(reference, hours)[1]
    assert signals(told) == signals(told, Ended) == {"volume:"}
    (_, raised), *_ = told
    assert isinstance(raised, Raised)
    assert raised.kind is AlarmKind.WORLD
    assert raised.since == MONDAY + (START + 50) * HOUR
    assert (raised.value, raised.tweets) == (0, 0)


def test_windows_that_are_missing_are_windows_without_tweets(reference: Reference) -> None:
    def silent(hour: int) -> WindowCounts:
        return WindowCounts() if 20 <= hour - START < 40 else counts_of(hour)

    handed, told = run(reference, range(START, START + 80), silent)
    left_out = [hour for hour in range(START, START + 80) if silent(hour).tweets]
    skipped, told_late = run(reference, left_out, silent)
    assert skipped == handed
    assert [one for _, one in told_late] == [one for _, one in told]


def test_a_storm_of_retweets_is_no_drift(reference: Reference) -> None:
    def storm(hour: int) -> WindowCounts:
        return counts_of(hour, retweets=5_000 if 20 <= hour - START < 40 else 100)

    assert run(reference, range(START, START + 80), storm)[1] == []


def test_killed_between_any_two_windows_gives_the_same(reference: Reference) -> None:
    def counts(hour: int) -> WindowCounts:
        return counts_of(hour, negative=0.4 if hour >= START + 10 else 0.3)

    whole = run(reference, range(START, START + 40), counts)
    state, told = SignalStates(), []
    for hour in range(START, START + 40):
        kept = msgspec.json.decode(msgspec.json.encode(state), type=SignalStates)
        assert kept == state
        known = msgspec.json.decode(msgspec.json.encode(reference), type=Reference)
        state, now = run(known, [hour, hour], counts, kept)
        told += now
    assert (state, told) == whole


def test_without_a_reference_nothing_is_raised(reference: Reference) -> None:
    def moved(hour: int) -> WindowCounts:
        return counts_of(hour, negative=0.5)

    state, told = run(None, range(START), moved)
    assert told == []
    assert run(reference, range(START, START + 12), moved, state)[1] != []


def test_a_new_reference_ends_what_was_raised_against_the_old_one(reference: Reference) -> None:
    def moved(hour: int) -> WindowCounts:
        return counts_of(hour, negative=0.4)

    state, told = run(reference, range(START, START + 24), moved)
    newer = build_reference(window(hour, moved(hour)) for hour in range(START, START + 2 * WEEK))
    state, ended = run(newer, range(START + 24, START + 25), moved, state)
    assert signals(ended, Ended) == signals(told) != set()
    assert run(newer, range(START + 25, START + 200), moved, state)[1] == []


def test_a_move_that_nobody_would_care_about_raises_nothing(reference: Reference) -> None:
    def moved(hour: int) -> WindowCounts:
        return counts_of(hour, confidence=0.762, tweets=1_000)

    wary = AlarmLimits(confidence=0.05, stability=0.5, share=0.2)
    state, raised = SignalStates(), []
    for hour in range(START, START + 300):
        state, now = judge(state, window(hour, moved(hour)), reference, BUDGET, limits=wary)
        raised += now
    assert raised == []
    assert state.signals["confidence"].evidence.evidence > BUDGET.run_length


def test_a_window_of_few_tweets_is_not_judged(reference: Reference) -> None:
    def few(hour: int) -> WindowCounts:
        return counts_of(hour, negative=0.6, tweets=40)

    assert signals(run(reference, range(START, START + 48), few)[1]) == {"volume:"}


def test_a_reference_belongs_to_its_model_and_rule(reference: Reference) -> None:
    with pytest.raises(ValueError, match="another rule, model"):
        judge(SignalStates(), window(START, counts_of(START), "cats"), reference, BUDGET)
    with pytest.raises(Failure, match="no scored tweets"):
        build_reference([window(0, WindowCounts())])


def test_the_order_of_windows_does_not_change_a_reference(reference: Reference) -> None:
    hours = list(range(2 * WEEK))
    np.random.default_rng(1).shuffle(hours)
    assert build_reference(window(hour, counts_of(hour)) for hour in hours) == reference


def test_a_rule_that_is_spoken_of_otherwise_is_news_of_the_world() -> None:
    known = build_reference(window(hour, counts_of(hour), "cats") for hour in range(2 * WEEK))
    state, told = SignalStates(), []
    for hour in range(START, START + 24):
        counts = counts_of(hour, negative=0.42, tweets=3_000)
        state, now = judge(state, window(hour, counts, "cats"), known, BUDGET)
        told += [(hour, one) for one in now]
    assert {"volume:", "label_share:negative"} <= signals(told)
    assert {one.kind for _, one in told if isinstance(one, Raised)} == {AlarmKind.WORLD}
    assert not {"confidence", "words"} & set(state.signals)


def test_one_window_of_validation_texts_makes_a_reference_without_volume() -> None:
    known = build_reference([window(0, counts_of(0, tweets=3_000))])
    assert "volume" not in known.baselines
    assert all(len(baseline.levels) == 1 for baseline in known.baselines.values())
    hours = range(1, 60)
    assert run(known, hours, lambda hour: counts_of(hour, negative=0.34))[1] == []
    assert run(known, hours, lambda hour: counts_of(hour, negative=0.6))[1] != []


def _topics(hour: int, words: Sequence[int], tweets: int = 120) -> tuple[frozenset[int], ...]:
    rng = np.random.default_rng(hour)
    return tuple(frozenset(rng.choice(words, 6).tolist()) for _ in range(tweets))


def test_new_words_are_found_and_a_rerun_says_the_same(reference: Reference) -> None:
    old, new = range(100), range(200, 230)
    pool = _topics(0, old, 1_000)

    def told(words: Callable[[int], tuple[frozenset[int], ...]]) -> list[Raised | Ended]:
        state, said = SignalStates(), []
        for hour in range(START, START + 16):
            samples = WordSamples(words(hour), pool)
            state, now = judge(
                state, window(hour, counts_of(hour)), reference, BUDGET, words=samples
            )
            said += now
        return said

    assert told(lambda hour: _topics(hour, old)) == []

    def moved(hour: int) -> tuple[frozenset[int], ...]:
        return _topics(hour, old, 80) + _topics(hour + 1_000, new, 40)

    (raised,) = told(moved)
    assert told(moved) == [raised]
    assert isinstance(raised, Raised)
    assert (raised.id.signal, raised.detector) == (Signal.WORDS, "permutation_test")
    assert raised.window_start <= MONDAY + (START + 8) * HOUR


def test_audits_that_find_more_errors_than_tolerated_raise_and_end(reference: Reference) -> None:
    judged = msgspec.structs.replace(reference, tolerated_error=0.35)
    wrong = [True, True, False] * 7

    def told(known: Reference, audits: Callable[[int], list[bool]]) -> Told:
        state, said = SignalStates(), []
        for hour in range(START, START + 60):
            state, now = judge(
                state,
                window(hour, counts_of(hour)),
                known,
                BUDGET,
                audits_wrong=audits(hour - START),
            )
            said += [(hour, one) for one in now]
        return said

    both = told(judged, lambda hour: wrong if hour < 20 else [False] * 10)
    assert [type(one) for _, one in both] == [Raised, Ended]
    assert signals(both) == {"audited_error:"}
    assert told(judged, lambda _: [False, False, True]) == []
    assert told(reference, lambda _: wrong) == []


@given(st.lists(st.integers(0, 30), min_size=100, max_size=100), st.floats(0.01, 0.99))
def test_a_quantile_lies_where_its_part_does(histogram: list[int], part: float) -> None:
    found = quantile(tuple(histogram), part)
    below = sum(histogram[: int(found * 100 + 1e-9)])
    assert below <= part * sum(histogram) + max(histogram) + 1e-6
    assert 0 <= found <= 1


def test_simulated_years_go_the_way_of_the_judge() -> None:
    """The table's arithmetic in lanes and the judge's agree, alarm by alarm."""
    hours = REFERENCE_H + 240
    years = simulate(np.random.default_rng(7), 2, hours, troubles=False)
    years.counts[:, REFERENCE_H + 120 :, 0] += 200
    for stream in range(2):
        windows = [
            window(
                hour,
                WindowCounts(
                    tweets=int(years.counts[stream, hour].sum()),
                    by_label=dict(zip("abc", years.counts[stream, hour].tolist(), strict=True)),
                    by_language={"en": int(years.counts[stream, hour].sum())},
                ),
            )
            for hour in range(hours)
        ]
        known, state = build_reference(windows[:REFERENCE_H]), SignalStates()
        raised = set()
        for hour in range(REFERENCE_H, hours):
            state, told = judge(state, windows[hour], known, BUDGET)
            raised |= {
                (hour - REFERENCE_H, one.id.subject)
                for one in told
                if isinstance(one, Raised) and one.id.signal is Signal.LABEL_SHARE
            }
        years.tweets[stream] = years.counts[stream].sum(axis=-1)
        lanes = lanes_of(years)
        expected = set()
        for label, name in zip("abc", ("negative", "neutral", "positive"), strict=True):
            alarms = alarms_of(lanes[f"label_share:{name}"], BUDGET.run_length).raised[stream]
            expected |= {(hour, label) for hour in np.flatnonzero(alarms).tolist()}
        assert raised == expected != set()


def test_simulated_months_with_bursts_and_storms_raise_nothing_and_a_shift_is_found() -> None:
    streams, hours = 12, REFERENCE_H + 8 * WEEK
    years = simulate(np.random.default_rng(8), streams, hours)
    lanes = lanes_of(years, only=("label_share:negative", "confidence"))
    assert sum(alarms_of(lane, BUDGET.run_length).count for lane in lanes.values()) == 0
    lane = lanes["confidence"]
    lane.deviation[:, WEEK:] -= 0.06
    lane.w[:, WEEK:] -= 2.0
    assert np.median(alarms_of(lane, BUDGET.run_length).first_after(WEEK)) <= 12
