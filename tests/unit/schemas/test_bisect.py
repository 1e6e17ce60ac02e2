"""A bad item is found by halving, and stops no other."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.transport.bisect_batch import bisect


@given(st.lists(st.integers(), max_size=40, unique=True), st.sets(st.integers(), max_size=10))
def test_exactly_the_bad_items_are_blamed_and_all_others_processed(
    items: list[int], poison: set[int]
) -> None:
    done: list[int] = []

    def process(part: Sequence[int]) -> None:
        if poison & set(part):
            raise ValueError
        done.extend(part)

    blamed = [item for item, _ in bisect(items, process, deterministic=(ValueError,))]
    assert blamed == [item for item in items if item in poison]
    assert done == [item for item in items if item not in poison]


def test_a_fault_of_another_kind_is_raised() -> None:
    def process(_: Sequence[int]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        bisect([1, 2], process, deterministic=(ValueError,))
