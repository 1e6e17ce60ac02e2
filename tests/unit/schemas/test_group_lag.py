"""Lag counts what a group can still read."""

import pytest

from schemas.transport.group_lag import lag_of, next_offsets

P = ("tweets.raw", 0)


@pytest.mark.parametrize(
    ("low", "high", "committed", "lag"),
    [
        (0, 10, 7, 3),
        (0, 10, None, 10),
        (5, 10, None, 5),
        (5, 10, 2, 5),  # the rest has expired
        (0, 3, 7, 3),  # an offset of another log: the topic was made anew
        (1, 3, 7, 2),
    ],
)
def test_lag_counts_what_a_group_can_still_read(
    low: int, high: int, committed: int | None, lag: int
) -> None:
    offsets = {} if committed is None else {P: committed}
    assert lag_of(next_offsets(offsets, {P: low}, {P: high}), {P: high}) == {P: lag}
