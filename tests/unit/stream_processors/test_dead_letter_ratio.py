"""A flood of dead letters is noticed over the last messages, whoever counted them."""

from hypothesis import given
from hypothesis import strategies as st

from stream_processors.circuit_breaker.dead_letter_ratio import (
    FORGET_AFTER_S,
    DeadLetterRatio,
    Excess,
)

WINDOW = 100
steps = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 40), st.floats(0, 1), st.floats(0, 30)),
    max_size=60,
)


class Clock:
    """A clock that tests turn."""

    now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


def ratio_with_clock() -> tuple[DeadLetterRatio, Clock]:
    clock = Clock()
    return DeadLetterRatio(clock, most_ratio=0.2, window_messages=WINDOW), clock


def test_too_many_of_the_last_messages_are_an_excess_and_as_many_as_allowed_are_none() -> None:
    ratio, clock = ratio_with_clock()
    for _ in range(10):
        clock.now_s += 1
        ratio.add(0, 10, 2)
    assert ratio.excess() is None
    clock.now_s += 1
    ratio.add(0, 10, 3)
    assert ratio.excess() == Excess(letters=21, messages=100)


def test_nothing_is_said_before_a_window_of_messages_was_seen() -> None:
    ratio, _ = ratio_with_clock()
    ratio.add(0, WINDOW - 1, WINDOW - 1)
    assert ratio.excess() is None
    ratio.add(1, 1, 0)
    assert ratio.excess() is not None


def test_an_old_flood_is_diluted_by_what_follows_and_forgotten_in_time() -> None:
    ratio, clock = ratio_with_clock()
    ratio.add(0, WINDOW, WINDOW)
    clock.now_s += 1
    ratio.add(0, WINDOW, 0)
    assert ratio.excess() is None
    ratio.clear()
    ratio.add(0, WINDOW, WINDOW)
    clock.now_s += FORGET_AFTER_S + 1
    assert ratio.excess() is None


@given(steps)
def test_who_takes_a_partition_over_goes_on_with_the_same_count(
    counted: list[tuple[int, int, float, float]],
) -> None:
    ours, clock = ratio_with_clock()
    theirs = DeadLetterRatio(clock, most_ratio=0.2, window_messages=WINDOW)
    for partition, messages, share, pause_s in counted:
        clock.now_s += pause_s
        ours.add(partition, messages, int(share * messages))
    for partition in range(4):
        theirs.replace(partition, ours.chunks(partition))
    assert theirs.excess() == ours.excess()


@given(steps)
def test_what_is_kept_is_bounded_by_the_window(
    counted: list[tuple[int, int, float, float]],
) -> None:
    ratio, clock = ratio_with_clock()
    for partition, messages, share, pause_s in counted * 10:
        clock.now_s += pause_s
        ratio.add(partition, messages, int(share * messages))
    assert all(len(ratio.chunks(partition)) <= 21 for partition in range(4))


@given(steps)
def test_an_excess_is_of_a_window_and_above_the_ratio(
    counted: list[tuple[int, int, float, float]],
) -> None:
    ratio, clock = ratio_with_clock()
    for partition, messages, share, pause_s in counted:
        clock.now_s += pause_s
        ratio.add(partition, messages, int(share * messages))
        excess = ratio.excess()
        if excess is not None:
            assert WINDOW <= excess.messages < WINDOW + 40 + WINDOW // 20
            assert excess.letters > 0.2 * excess.messages
