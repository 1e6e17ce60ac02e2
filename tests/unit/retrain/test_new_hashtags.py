"""A hashtag that a rule's tweets did not have is an alarm of the world, and seldom a false one."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec
import numpy as np
import pytest

from retrain.drift.alarm import AlarmKind, Ended, Raised, Signal
from retrain.drift.judge import MOST_NEW_HASHTAGS, Budget, SignalStates, count_signals, judge
from retrain.drift.reference import MOST_HASHTAGS, Reference, build_reference
from retrain.drift.watch.hashtag_store import highest_shares
from retrain.drift.window import WindowCounts
from schemas.setting_views import AlarmLimits
from tests.drift_table.hashtags import first_alarm
from tests.unit.retrain.test_drift_judge import HOUR, MONDAY, Told, counts_of, window

RULE = "cats"
TWEETS = 200
BUDGET = Budget(1.0, count_signals(labels=3, rules=1), HOUR)
Hashtags = Callable[[int], Mapping[str, int]]


def reference(known: Mapping[str, float] | None) -> Reference:
    quiet = (window(hour, counts_of(hour, tweets=TWEETS), RULE) for hour in range(48))
    return build_reference(quiet, hashtags=known)


def run(
    hashtags: Hashtags,
    *,
    hours: int = 60,
    known: Mapping[str, float] | None = None,
    tweets: int = TWEETS,
) -> tuple[SignalStates, Told]:
    held = reference({} if known is None else known)
    state, told = SignalStates(), []
    for hour in range(48, 48 + hours):
        counts = counts_of(hour, tweets=tweets)
        one = window(hour, counts, RULE)
        state, now = judge(state, one, held, BUDGET, hashtags=hashtags(hour))
        told += [(hour - 48, it) for it in now if it.id.signal is Signal.NEW_HASHTAG]
    return state, told


def share_of(name: str, share: float, since: int = 0, until: int = 10**6) -> Hashtags:
    def hashtags(hour: int) -> dict[str, int]:
        rng = np.random.default_rng(hour)
        having = rng.binomial(TWEETS, share if since <= hour - 48 < until else 0.002)
        return {name: int(having)} if having else {}

    return hashtags


def test_a_new_hashtag_is_found_within_hours_and_ends_once_it_is_gone() -> None:
    told = run(share_of("strike", 0.1, since=10, until=30))[1]
    (hour, raised), (end, ended) = told
    assert isinstance(raised, Raised)
    assert isinstance(ended, Ended)
    assert 12 <= hour <= 15
    assert (raised.kind, raised.id.subject) == (AlarmKind.WORLD, "strike")
    assert raised.since == MONDAY + (48 + 10) * HOUR
    assert raised.value > 0.05
    assert raised.reference == 0.0
    assert 30 < end <= 30 + AlarmLimits().end_windows


def test_one_that_the_reference_knows_is_not_new() -> None:
    hashtags = share_of("monday", 0.1, since=10)
    assert run(hashtags, known={"monday": 0.03})[1] == []
    assert run(hashtags, known={"monday": 0.01})[1] != []


def test_a_reference_without_hashtags_judges_none() -> None:
    held = reference(None)
    state, told = judge(
        SignalStates(),
        window(50, counts_of(50, tweets=TWEETS), RULE),
        held,
        BUDGET,
        hashtags={"strike": 150},
    )
    assert (state.hashtags, told) == ({}, [])


@pytest.mark.parametrize(
    ("hashtags", "tweets"),
    [
        pytest.param(share_of("rare", 0.03), TWEETS, id="below the effect"),
        pytest.param(share_of("burst", 0.3, 10, 12), TWEETS, id="two hours of a burst"),
        pytest.param(lambda _: {"few": 40}, 40, id="too few tweets"),
        pytest.param(lambda hour: {f"n{hour}": 30}, TWEETS, id="another one each hour"),
    ],
)
def test_no_alarm_without_effect_persistence_and_tweets(hashtags: Hashtags, tweets: int) -> None:
    state, told = run(hashtags, tweets=tweets)
    assert told == []
    assert len(state.hashtags) < 10


def test_a_raised_one_stays_one_alarm_and_json_keeps_all_of_it() -> None:
    state, told = run(share_of("strike", 0.1))
    assert len(told) == 1
    assert msgspec.json.decode(msgspec.json.encode(state), type=SignalStates) == state


def test_no_more_than_a_few_are_raised_at_once_the_most_frequent_first() -> None:
    told = run(lambda _: {f"tag{number:02}": 20 + number for number in range(20)}, hours=10)[1]
    names = {one.id.subject for _, one in told}
    assert names == {f"tag{number:02}" for number in range(20 - MOST_NEW_HASHTAGS, 20)}


def test_with_another_reference_the_alarm_against_the_old_one_ends() -> None:
    state, _ = run(share_of("strike", 0.1))
    later = window(200, counts_of(200, tweets=TWEETS), RULE)
    own = build_reference([window(199, counts_of(199, tweets=TWEETS), RULE)], hashtags={})
    _, told = judge(state, later, own, BUDGET, hashtags={"strike": 20})
    assert [one.id.subject for one in told if isinstance(one, Ended)] == ["strike"]


def test_ordinary_hashtags_raise_less_than_is_stated_in_simulated_years() -> None:
    """All of the hashtags that can be as frequent as that, with a hundredth of the run length."""
    rng = np.random.default_rng(1)
    hours, run_length = 2_000, 88.0
    first = first_alarm(
        rng,
        400,
        hours,
        share=0.0125,
        tweets=100,
        run_length=run_length,
        limits=AlarmLimits(new_hashtag=0.05),
    )
    assert np.isfinite(first).sum() <= hours / run_length


def test_a_reference_keeps_the_highest_shares_of_windows_with_enough_tweets() -> None:
    windows = [
        window(hour, WindowCounts(tweets=tweets, by_label={"a": tweets}))
        for hour, tweets in ((0, 100), (1, 200), (2, 10))
    ]
    hashtags = {one.key: {"sun": 10, "rain": 5} for one in windows}
    assert highest_shares(windows, hashtags, least_tweets=50) == {"sun": 0.1, "rain": 0.05}
    many = {f"tag{number}": number / 10_000 for number in range(MOST_HASHTAGS + 5)}
    kept = build_reference(windows, window=timedelta(hours=1), hashtags=many).hashtags
    assert kept is not None
    assert min(kept.values()) == 5 / 10_000
