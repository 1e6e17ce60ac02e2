"""Microbatches: which stretch of time, in which steps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cache_keys import WINDOWS
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
from stream_processors.aggregates.time_windows import (
    Bounds,
    InvalidWindow,
    Window,
    between,
    bounds,
    coarsest_exact,
    floor,
    parse_window,
    series_step,
    step_starts,
)

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENTS = st.integers(-9_500_000, 9_500_000).map(lambda minutes: NOON + minutes * MINUTE)
LENGTHS = st.integers(1, 3650 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@pytest.mark.parametrize("name", WINDOWS)
def test_every_window_of_the_cache_keeps_its_name(name: str) -> None:
    assert parse_window(name).name == name


@pytest.mark.parametrize(
    ("text", "name"), [("60m", "1h"), ("24h", "1d"), ("1w", "7d"), ("90m", "90m"), ("36h", "36h")]
)
def test_equal_lengths_get_one_name(text: str, name: str) -> None:
    assert parse_window(text) == parse_window(name)
    assert parse_window(text).name == name


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1.5h", "1s", "99999d", "1h ", "All", "٣h"])
def test_what_is_no_window_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidWindow, match="30m, 1h, 1d"):
        parse_window(text)


def test_the_last_hour_of_live_ends_with_the_present_minute_whatever_was_tweeted() -> None:
    now = NOON + timedelta(seconds=42)
    long_ago = NOON - timedelta(days=3)
    found = bounds(parse_window("1h"), "live", long_ago, long_ago, now)
    assert found == Bounds(NOON - timedelta(minutes=59), NOON + MINUTE)


def test_the_last_hour_of_a_replay_ends_with_its_newest_tweet() -> None:
    newest = datetime(2016, 2, 3, 4, 5, tzinfo=UTC)
    found = bounds(parse_window("1h"), "archive", newest - timedelta(days=9), newest, NOON)
    assert found == Bounds(newest - timedelta(minutes=59), newest + MINUTE)


def test_from_and_to_are_kept_and_an_open_end_is_that_of_the_run() -> None:
    first, newest = NOON - timedelta(days=9), NOON
    day = timedelta(days=1)

    def found(start: datetime | None, end: datetime | None) -> Bounds | None:
        return bounds(between(start, end), "archive", first, newest, NOON)

    assert found(NOON - day, NOON) == Bounds(NOON - day, NOON)
    assert found(NOON - day, None) == Bounds(NOON - day, NOON + MINUTE)
    assert found(None, NOON - day) == Bounds(first, NOON - day)
    # Beside all tweets: a minute without any.
    assert found(NOON + day, None) == Bounds(NOON + day, NOON + day + MINUTE)
    assert found(None, first - day) == Bounds(first - day - MINUTE, first - day)
    assert bounds(between(NOON, None), "archive", None, None, NOON) is None


def test_from_and_to_are_whole_minutes_in_their_order_and_within_what_can_be() -> None:
    with pytest.raises(InvalidWindow, match="not a whole minute"):
        between(NOON + timedelta(seconds=1), None)
    with pytest.raises(InvalidWindow, match="is not before"):
        between(NOON, NOON)
    ever = between(
        datetime.min.replace(tzinfo=UTC), datetime.max.replace(second=0, microsecond=0, tzinfo=UTC)
    )
    assert ever.start == FIRST_TWEET
    assert ever.end is not None
    assert ever.end <= LAST_MOMENT


@given(MOMENTS, LENGTHS, st.booleans(), st.booleans(), LENGTHS)
def test_rollups_of_a_span_end_where_it_ends_and_within_its_steps(
    start: datetime, length: timedelta, open_start: bool, open_end: bool, step_for: timedelta
) -> None:
    end = start + length
    window = Window("from-to", None, None if open_start else start, None if open_end else end)
    step = series_step(step_for)
    granularity = coarsest_exact(window, step)
    assert open_start or floor(start, granularity) == start
    assert open_end or floor(end, granularity) == end
    sizes = {"minute": MINUTE, "hour": timedelta(hours=1), "day": timedelta(days=1)}
    assert step % sizes[granularity] == timedelta(0)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_replay_without_tweets_has_no_bounds(window: str) -> None:
    assert bounds(parse_window(window), "archive", None, None, NOON) is None


@pytest.mark.parametrize("window", ["1h", "all"])
def test_the_last_minute_of_all_times_is_in_a_window(window: str) -> None:
    newest = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    found = bounds(parse_window(window), "archive", NOON, newest, NOON)
    assert found is not None
    assert found.start <= newest < found.end
    step = series_step(found.end - found.start)
    assert step_starts(found, step)[-1] <= newest


def test_all_reaches_from_the_first_tweet_to_the_newest_even_if_that_is_of_tomorrow() -> None:
    first, newest = NOON - timedelta(days=9), NOON + timedelta(hours=5)
    everything = parse_window("all")
    assert bounds(everything, "live", first, newest, NOON) == Bounds(first, newest + MINUTE)
    assert bounds(everything, "archive", first, newest, NOON) == Bounds(first, newest + MINUTE)


@pytest.mark.parametrize(
    ("span", "step", "points"),
    [
        (timedelta(hours=1), MINUTE, 60),
        (timedelta(days=1), timedelta(minutes=15), 97),
        (timedelta(days=7), timedelta(hours=1), 169),
    ],
)
def test_an_hour_is_drawn_by_minute_a_day_by_quarter_a_week_by_hour(
    span: timedelta, step: timedelta, points: int
) -> None:
    assert series_step(span) == step
    start = NOON + MINUTE
    assert len(step_starts(Bounds(start, start + span), step)) == points


@given(MOMENTS, LENGTHS)
def test_a_series_is_bounded_and_covers_its_window_without_gaps(
    start: datetime, length: timedelta
) -> None:
    span = Bounds(start, start + length)
    step = series_step(length)
    starts = step_starts(span, step)
    assert len(starts) <= 200
    assert starts[0] <= span.start < starts[0] + step
    assert starts[-1] < span.end <= starts[-1] + step
    assert all(later - earlier == step for earlier, later in pairwise(starts))


@given(LENGTHS)
def test_rollups_of_the_chosen_granularity_never_straddle_two_steps(length: timedelta) -> None:
    step = series_step(length)
    sizes = {"minute": MINUTE, "hour": timedelta(hours=1), "day": timedelta(days=1)}
    assert step % sizes[coarsest_exact(parse_window("all"), step)] == timedelta(0)
    assert coarsest_exact(parse_window("7d"), step) == "minute"
