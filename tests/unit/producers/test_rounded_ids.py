"""Ids that lost their digits are recognised, and whole ones are never called so."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.replay.repeated_ids import RepeatedIds
from schemas.events import TweetPosted

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FIRST_MS, LAST_MS = 24_000_000_000, 500_000_000_000
"""From ids of 17 digits on."""


def posted(own_id: str) -> TweetPosted:
    return TweetPosted(
        run="r",
        tweet_id=own_id,
        root_id=own_id,
        posted_at=NOW,
        received_at=NOW,
        text=own_id,
        source="test",
    )


def found(ids: list[int]) -> RepeatedIds:
    known = RepeatedIds()
    for own_id in map(str, ids):
        known.add(posted(own_id))
    return known


def snowflakes(seed: int, count: int, zero_sequences: float) -> list[int]:
    """Return ids as X makes them: time, machine, and a sequence that is zero most of the time."""
    chance = random.Random(seed)
    return [
        (chance.randrange(FIRST_MS, LAST_MS) << 22)
        | (chance.randrange(1024) << 12)
        | (0 if chance.random() < zero_sequences else chance.randrange(1, 60))
        for _ in range(count)
    ]


def as_a_double(number: int) -> int:
    return int(float(number))


def as_javascript(number: int) -> int:
    """Return the first digits, as few as give the same double, and zeros behind them."""
    shown = (f"{number:.{digits}e}" for digits in range(17))
    written = next(each for each in shown if float(each) == float(number))
    mantissa, _, exponent = written.partition("e")
    return int(mantissa.replace(".", "").ljust(int(exponent) + 1, "0"))


def as_a_spreadsheet(number: int) -> int:
    digits = str(number)
    return int(digits[:15].ljust(len(digits), "0"))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.one_of(st.integers(1, 60), st.integers(60, 3_000)),
    # SemEval's 62,490 ids of 2012 to 2017 have .70.
    zero_sequences=st.floats(0, 0.9),
)
def test_whole_ids_are_never_called_rounded(seed: int, count: int, zero_sequences: float) -> None:
    assert found(snowflakes(seed, count, zero_sequences)).lost_digits == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(10, 400))
def test_ids_from_javascript_are_noticed_from_ten_on(seed: int, count: int) -> None:
    assert found([as_javascript(own_id) for own_id in snowflakes(seed, count, 0.7)]).lost_digits


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(10, 400))
def test_ids_from_a_spreadsheet_are_called_so(seed: int, count: int) -> None:
    ids = [as_a_spreadsheet(own_id) for own_id in snowflakes(seed, count, 0.7)]
    (said,) = [each for each in found(ids).sentences() if "digits" in each and "zeros" in each]
    assert "as a spreadsheet leaves them" in said


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(300, 900))
def test_ids_that_are_doubles_are_noticed_from_three_hundred_on(seed: int, count: int) -> None:
    assert found([as_a_double(own_id) for own_id in snowflakes(seed, count, 0.7)]).lost_digits


def test_a_few_whole_ids_hide_nothing_of_those_from_javascript() -> None:
    ids = [as_javascript(own_id) for own_id in snowflakes(3, 200, 0.7)] + snowflakes(4, 10, 0.7)
    (said,) = found(ids).sentences()
    assert "of 210 long ids are rounded" in said


@pytest.mark.parametrize("count", [1, 9])
def test_few_ids_tell_nothing(count: int) -> None:
    assert found([as_javascript(i) for i in snowflakes(5, count, 0.7)]).lost_digits == 0
