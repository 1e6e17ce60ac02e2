"""Which earlier positions of a consumer are kept, and what proves a position."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from schemas.transport.log_proof import Extent, Finding, LastMessage, judge
from schemas.transport.positions import EARLIER_EVERY, superfluous

THERE = LastMessage(99, 1_000, "a")


def test_a_position_is_proved_by_the_message_before_it_alone() -> None:
    held = Extent(0, 500)
    assert judge(THERE, held, THERE) is Finding.SAME_LOG
    assert judge(THERE, held, LastMessage(99, 1_001, "a")) is Finding.ANOTHER_LOG
    assert judge(THERE, held, LastMessage(99, 1_000, "b")) is Finding.ANOTHER_LOG
    assert judge(THERE, held, None) is Finding.ANOTHER_LOG
    assert judge(THERE, Extent(0, 99), None) is Finding.ANOTHER_LOG
    assert judge(THERE, Extent(100, 500), None) is Finding.EXPIRED
    assert judge(THERE, Extent(100, 100), None) is Finding.EXPIRED
    assert judge(THERE, Extent(0, 0), None) is Finding.ANOTHER_LOG


@given(st.lists(st.integers(1, 30 * EARLIER_EVERY), min_size=1, max_size=300))
def test_few_earlier_positions_are_kept_and_one_is_near_any_loss(steps: list[int]) -> None:
    kept: list[int] = []
    newest = 0
    oldest = steps[0]
    for step in steps:
        newest += step
        if not kept or kept[-1] <= newest - EARLIER_EVERY:
            kept.append(newest)
            gone = superfluous(kept)
            kept = [offset for offset in kept if offset not in gone]
        assert kept[0] == oldest
        assert len(kept) <= (newest // EARLIER_EVERY).bit_length() + 1
        # Whatever was lost, what is read again is some times that, or little.
        for older, newer in itertools.pairwise(kept):
            behind = max(kept[-1] - newer, 30 * EARLIER_EVERY)
            assert newer - older <= 4 * behind
