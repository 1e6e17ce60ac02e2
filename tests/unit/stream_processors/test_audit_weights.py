"""How many tweets an audit stands for."""

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_processors.aggregates.audit_weights import (
    LEAST_IN_A_STRATUM,
    TooFewOutside,
    by_day,
    raked,
)
from stream_processors.aggregates.audited_share import uniform_audits

MONDAY = date(2026, 11, 23)
DAYS = [MONDAY + timedelta(days=number) for number in range(7)]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5_000)), min_size=1, max_size=7),
    st.integers(0, 6),
)
def test_audits_stand_for_every_tweet_of_every_day(
    of_days: list[tuple[int, int]], one_more: int
) -> None:
    audited = Counter({day: count for day, (count, _) in zip(DAYS, of_days, strict=False)})
    audited[DAYS[one_more]] += 1
    tweets = {day: audited[day] + others for day, (_, others) in zip(DAYS, of_days, strict=False)}
    tweets.setdefault(DAYS[one_more], audited[DAYS[one_more]])
    found = by_day(list(audited.elements()), tweets)
    assert found.tweets_each.sum() == pytest.approx(sum(tweets.values()))
    assert found.tweets_each.min() >= 1


def test_days_of_equal_density_weigh_equally() -> None:
    days = DAYS[:3] * 15
    found = by_day(days, dict.fromkeys(DAYS[:3], 900))
    assert found.tweets_each == pytest.approx(np.full(45, 60.0))


def test_a_day_with_few_audits_joins_its_neighbour_and_a_day_without_is_stood_for() -> None:
    days = [DAYS[0]] * 12 + [DAYS[2]] * 3
    found = by_day(days, {DAYS[0]: 120, DAYS[1]: 600, DAYS[2]: 30})
    assert found.tweets_each == pytest.approx(np.full(15, 50.0))
    days = [DAYS[0]] * 10 + [DAYS[2]] * 10
    found = by_day(days, {DAYS[0]: 100, DAYS[1]: 600, DAYS[2]: 300})
    assert found.tweets_each == pytest.approx(np.repeat([10.0, 90.0], 10))


def test_a_rule_that_was_audited_more_densely_gets_the_part_of_its_tweets() -> None:
    rain = np.arange(100) < 40
    wind = np.arange(100) % 2 == 0
    found = raked(uniform_audits(100, 10_000), {"rain": rain, "wind": wind}, {"rain": 500})
    assert found.tweets_each[rain].sum() == pytest.approx(500)
    assert found.tweets_each.sum() == pytest.approx(10_000)


def test_rules_that_overlap_get_their_parts_both() -> None:
    rain = np.arange(200) < 100
    wind = (np.arange(200) >= 50) & (np.arange(200) < 150)
    tweets = {"rain": 1_000, "wind": 2_000}
    found = raked(uniform_audits(200, 20_000), {"rain": rain, "wind": wind}, tweets)
    assert found.tweets_each[rain].sum() == pytest.approx(1_000, rel=1e-3)
    assert found.tweets_each[wind].sum() == pytest.approx(2_000, rel=1e-3)
    assert found.tweets_each.sum() == pytest.approx(20_000, rel=1e-3)


def test_an_even_draw_is_left_as_it_is() -> None:
    rain = np.arange(100) < 22
    found = raked(uniform_audits(100, 10_000), {"rain": rain}, {"rain": 2_000})
    assert found.tweets_each == pytest.approx(np.full(100, 100.0))


def test_audits_of_one_rule_alone_say_nothing_of_the_others() -> None:
    rain = np.arange(60) < 57
    with pytest.raises(TooFewOutside) as refused:
        raked(uniform_audits(60, 10_000), {"rain": rain}, {"rain": 2_000})
    assert refused.value.missing == LEAST_IN_A_STRATUM - 3
