"""The pure decisions of the live stream: waits, gaps, what may be read, when silence is a stall."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from producers.live.gaps import DELIVERY_DELAY, Coverage, Gap, at_start
from producers.live.monthly_read_limit import ReadQuota
from producers.x_account.retry_after import LONGEST_WAIT_S, asked_wait_s
from producers.x_connection.backoff import (
    CONNECTS_IN_WINDOW,
    PROVEN_AFTER_S,
    WINDOW_S,
    Attempts,
    after,
    connecting,
)
from producers.x_connection.connection_end import ConnectionEnd, Ending
from producers.x_connection.stall_detection import StallLimits, verdict

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOUND = ConnectionEnd(Ending.CLOSED, accepted=True, lines=100, lived_s=PROVEN_AFTER_S)


def waits(outcome: ConnectionEnd, times: int, *, every_s: float = 1_000.0) -> list[float]:
    """The waits after the same outcome again and again, so far apart that no window is full."""
    attempts, now_s, seen = Attempts(), 0.0, []
    for _ in range(times):
        attempts = connecting(attempts, now_s)
        attempts, wait_s = after(attempts, outcome, now_s)
        seen.append(wait_s)
        now_s += every_s
    return seen


def test_a_connection_that_was_sound_is_made_again_at_once() -> None:
    assert waits(SOUND, 5) == [0] * 5


def test_network_faults_wait_a_quarter_of_a_second_more_each_up_to_sixteen() -> None:
    seen = waits(ConnectionEnd(Ending.UNREACHABLE), 80)
    assert seen[:4] == [0, 0.25, 0.5, 0.75]
    assert seen[-1] == 16
    assert max(later - earlier for earlier, later in pairwise(seen)) == 0.25


def test_http_faults_wait_five_seconds_doubling_to_320() -> None:
    assert waits(ConnectionEnd(Ending.HTTP, status=503), 9) == [
        5,
        10,
        20,
        40,
        80,
        160,
        320,
        320,
        320,
    ]


def test_accepted_and_closed_at_once_is_an_http_fault_whatever_closed_it() -> None:
    for ending in (Ending.CLOSED, Ending.RESET):
        assert waits(ConnectionEnd(ending, accepted=True, lived_s=0.1), 4) == [5, 10, 20, 40]


def test_a_rate_limit_waits_a_minute_doubling() -> None:
    assert waits(ConnectionEnd(Ending.RATE_LIMITED, status=429), 6) == [60, 120, 240, 480, 960, 960]


def test_what_x_asks_for_is_waited_for_where_it_is_more() -> None:
    assert waits(ConnectionEnd(Ending.RATE_LIMITED, asked_wait_s=500), 3) == [500, 500, 500]
    assert waits(ConnectionEnd(Ending.HTTP, asked_wait_s=7), 3) == [7, 10, 20]


def test_only_a_connection_that_lived_forgets_the_faults_before_it() -> None:
    attempts, _ = after(Attempts(), ConnectionEnd(Ending.HTTP), 0)
    short = replace(SOUND, lived_s=PROVEN_AFTER_S - 1)
    attempts, _ = after(attempts, short, 1)
    _, wait_s = after(attempts, ConnectionEnd(Ending.HTTP), 2)
    assert wait_s == 10
    attempts, _ = after(attempts, SOUND, 3)
    _, wait_s = after(attempts, ConnectionEnd(Ending.HTTP), 4)
    assert wait_s == 5


OUTCOMES = st.builds(
    ConnectionEnd,
    ending=st.sampled_from(list(Ending)),
    accepted=st.booleans(),
    lines=st.integers(0, 5),
    lived_s=st.floats(0, 100),
    asked_wait_s=st.floats(0, 100),
)


@given(st.lists(OUTCOMES, min_size=1, max_size=200))
def test_there_are_never_more_connects_in_a_window_than_allowed(
    outcomes: list[ConnectionEnd],
) -> None:
    attempts, now_s, connects = Attempts(), 0.0, []
    for outcome in outcomes:
        attempts = connecting(attempts, now_s)
        connects.append(now_s)
        now_s += outcome.lived_s if outcome.accepted else 0.0
        attempts, wait_s = after(attempts, outcome, now_s)
        assert wait_s >= outcome.asked_wait_s
        now_s += wait_s
    for first, at in enumerate(connects):
        within = [other for other in connects[first:] if other < at + WINDOW_S - 0.001]
        assert len(within) <= CONNECTS_IN_WINDOW


def test_what_x_asks_for_is_read_from_reset_and_retry_after() -> None:
    now_s = 1_000.0
    assert asked_wait_s({"x-rate-limit-reset": "1100"}, now_s) == 101
    assert asked_wait_s({"x-rate-limit-reset": "1100", "x-rate-limit-remaining": "3"}, now_s) == 0
    assert asked_wait_s({"x-rate-limit-reset": "900"}, now_s) == 0
    assert asked_wait_s({"x-rate-limit-reset": "9" * 14}, now_s) == LONGEST_WAIT_S
    assert asked_wait_s({"retry-after": "30"}, now_s) == 30
    assert asked_wait_s({"retry-after": "soon", "x-rate-limit-reset": "nan"}, now_s) == 0


def test_silence_and_quiet_are_told_apart() -> None:
    patience = StallLimits(silence_s=45, quiet_s=600)
    assert verdict(patience, 100, 60, 0) is None
    assert verdict(patience, 100, 54, 0) is Ending.SILENT
    assert verdict(patience, 700, 690, 90) is Ending.QUIET
    assert verdict(replace(patience, quiet_s=0), 10_000, 9_990, 0) is None


def test_a_gap_begins_before_the_last_line_and_ends_with_the_next_connection() -> None:
    coverage, opened = Coverage(NOON).ended("silent-stall", NOON + timedelta(minutes=1))
    assert opened == Gap(NOON - DELIVERY_DELAY, None, "silent-stall")
    coverage, again = coverage.ended("http-error", NOON + timedelta(minutes=2))
    assert again is None
    connected_at = NOON + timedelta(minutes=3)
    coverage, closed = coverage.connected(connected_at)
    assert closed == Gap(NOON - DELIVERY_DELAY, connected_at, "silent-stall")
    assert coverage == Coverage(connected_at)


def test_before_the_first_connection_nothing_is_missed() -> None:
    coverage, gap = Coverage(None).ended("unreachable", NOON)
    assert (coverage.gap, gap) == (None, None)
    assert coverage.connected(NOON) == (Coverage(NOON), None)


def test_a_process_that_was_killed_leaves_a_gap_from_what_it_had_published() -> None:
    later = NOON + timedelta(hours=1)
    coverage, gaps = at_start(NOON, "process-ended", None, later)
    assert gaps == [Gap(NOON - DELIVERY_DELAY, None, "process-ended")]
    assert coverage.gap == gaps[0]


def test_at_the_very_first_start_only_an_x_that_is_away_makes_a_gap() -> None:
    coverage, gaps = at_start(None, "process-ended", None, NOON)
    assert gaps == []
    later = NOON + timedelta(minutes=5)
    assert coverage.connected(later) == (Coverage(later), None)
    _, gap = coverage.ended("unreachable", later)
    assert gap == Gap(NOON - DELIVERY_DELAY, None, "unreachable")


def test_a_gap_that_was_open_at_the_end_goes_on() -> None:
    open_gap = Gap(NOON - DELIVERY_DELAY, None, "http-error")
    coverage, gaps = at_start(NOON, "stopped", open_gap, NOON + timedelta(hours=1))
    assert (coverage, gaps) == (Coverage(NOON, open_gap), [])


def test_what_was_received_before_an_open_gap_and_not_published_is_missing_too() -> None:
    later = NOON + timedelta(hours=1)
    open_gap = Gap(NOON + timedelta(minutes=5), None, "http-error")
    coverage, gaps = at_start(NOON, "process-ended", open_gap, later)
    whole = Gap(NOON - DELIVERY_DELAY, None, "process-ended")
    assert gaps == [replace(open_gap, to_at=later), whole]
    assert coverage.gap == whole


def test_the_guard_counts_by_month_and_a_new_month_releases_it() -> None:
    guard = ReadQuota(10)
    guard.stored({}, {date(2026, 11, 1): 4})
    guard.read(NOON, 5)
    assert not guard.exhausted(NOON)
    guard.read(NOON)
    assert guard.exhausted(NOON)
    assert not guard.exhausted(datetime(2026, 12, 1, tzinfo=UTC))


def test_what_is_stored_is_counted_once() -> None:
    guard = ReadQuota(10)
    guard.read(NOON, 3)
    added = guard.uncounted()
    guard.read(NOON, 2)
    guard.stored(added, {NOON.date(): 3})
    assert guard.month_total(NOON) == 5
    assert guard.uncounted() == {NOON.date(): 2}
