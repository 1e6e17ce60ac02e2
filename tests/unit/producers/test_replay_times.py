"""Replaying in time: which tweets, how far moved, and when each is due."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from producers.cli import replay
from producers.parsing.provenance import Parsed
from producers.replay.playback_clock import PlaybackClock
from producers.replay.time_range import OUTSIDE, Times
from producers.replay.time_shift import shift_of_run
from schemas.events import TweetDeleted, TweetPosted
from schemas.failures import Failure

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
START = datetime(2022, 11, 8, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def tweet(at: datetime, edited_at: datetime | None = None) -> TweetPosted:
    return TweetPosted(
        run="r",
        tweet_id="1",
        root_id="1",
        posted_at=at,
        edited_at=edited_at,
        received_at=NOW,
        text="x",
        source="s",
    )


def deletion(at: datetime | None) -> TweetDeleted:
    return TweetDeleted(run="r", tweet_id="1", deleted_at=at, received_at=NOW, source="s")


@given(st.lists(st.integers(-48, 48), max_size=8), st.integers(-24, 24), st.integers(-24, 24))
def test_exactly_the_tweets_of_the_time_asked_for_are_left(
    hours: list[int], start: int, end: int
) -> None:
    times = Times(START + start * HOUR, START + end * HOUR)
    applied = times.applied(Parsed([tweet(START + hour * HOUR) for hour in hours]), NOW)
    assert [event.posted_at for event in applied.events if isinstance(event, TweetPosted)] == [
        START + hour * HOUR for hour in hours if start <= hour < end
    ]
    assert applied.skipped == [OUTSIDE] * (len(hours) - len(applied.events))


@pytest.mark.parametrize("end", ["2024-01-01", "2025-01-01"])
def test_a_time_that_ends_before_it_begins_is_a_wrong_call(tmp_path: Path, end: str) -> None:
    file = tmp_path / "tweets.txt"
    file.write_text("hello\n")
    arguments = [str(file), "--dry-run", "--from", "2025-01-01", "--to", end]
    result = CliRunner().invoke(replay, arguments)
    assert result.exit_code == 2
    assert "--from must be before --to" in result.stderr


def test_removals_are_kept_whatever_their_time() -> None:
    parsed = Parsed([deletion(START), deletion(None)])
    assert Times(start=NOW).applied(parsed, NOW).events == parsed.events


def test_a_shift_moves_every_time_of_an_event_by_the_same() -> None:
    parsed = Parsed([tweet(START, START + HOUR), deletion(START), deletion(None)])
    moved = Times(shift=HOUR).applied(parsed, NOW)
    assert moved.events == [
        tweet(START + HOUR, START + 2 * HOUR),
        deletion(START + HOUR),
        deletion(None),
    ]


@pytest.mark.parametrize("shift", [timedelta(days=9_000), timedelta(days=-9_000), timedelta.max])
def test_a_tweet_that_a_shift_moves_where_none_can_be_is_refused(shift: timedelta) -> None:
    (refused,) = Times(shift=shift).applied(Parsed([tweet(START)]), NOW).refused
    assert refused.reason == "implausible-time"


@given(st.lists(st.floats(0, 600), min_size=1, max_size=30), st.floats(0.1, 600))
def test_distances_between_tweets_are_kept_and_nothing_adds_up(
    seconds: list[float], speed: float
) -> None:
    tempo, now_s, sent = PlaybackClock(speed), 1_000.0, []
    for second in sorted(seconds):
        event = tweet(START + timedelta(seconds=second))
        while (wait_s := tempo.wait_s(event, now_s)) > 0:
            now_s += min(wait_s, 0.05) + 1e-9
        now_s += 1e-6  # publishing takes its time too
        sent.append((second, now_s))
    first_second, first_s = sent[0]
    for second, at_s in sent:
        assert at_s - first_s == pytest.approx((second - first_second) / speed, abs=1e-3)


def test_what_is_late_or_a_removal_goes_at_once() -> None:
    tempo = PlaybackClock(1)
    assert tempo.wait_s(tweet(START), 0.0) == 0
    assert tempo.wait_s(tweet(START + HOUR), 0.0) == 3_600
    assert tempo.wait_s(tweet(START - HOUR), 0.0) == 0
    assert tempo.wait_s(deletion(START + HOUR), 0.0) == 0
    assert PlaybackClock(None).wait_s(tweet(START), 0.0) == 0


def test_tweets_that_stand_in_another_order_than_their_times_are_counted() -> None:
    tempo = PlaybackClock(60)
    for hours in (0, 2, 1, 2, -1, 3):
        tempo.published(tweet(START + hours * HOUR))
    tempo.published(deletion(START))
    assert tempo.out_of_order == 2


def decided(run: str, stored: timedelta, *, asked: bool, begun: bool) -> timedelta:
    return shift_of_run(run=run, asked=asked, stored=stored, begun=begun, measure=lambda: HOUR)


def test_a_run_keeps_the_shift_it_was_begun_with() -> None:
    nothing = timedelta(0)
    assert decided("r", nothing, asked=False, begun=False) == nothing
    assert decided("r", nothing, asked=True, begun=False) == HOUR
    assert decided("r", 2 * HOUR, asked=True, begun=True) == 2 * HOUR
    assert decided("r", 2 * HOUR, asked=False, begun=True) == 2 * HOUR
    with pytest.raises(Failure, match="another --run"):
        decided("r", nothing, asked=True, begun=True)


def test_the_live_run_is_only_shifted_when_asked() -> None:
    assert decided("live", 2 * HOUR, asked=False, begun=True) == timedelta(0)
    assert decided("live", 2 * HOUR, asked=True, begun=True) == 2 * HOUR
    assert decided("live", timedelta(0), asked=True, begun=True) == HOUR
