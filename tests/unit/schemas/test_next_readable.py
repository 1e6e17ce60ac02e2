"""A reader stands behind what no reader is given."""

import pytest

from schemas.transport.next_readable import Found, passed_over


@pytest.mark.parametrize(
    ("position", "found", "stands_at"),
    [
        (5, None, 5),
        (5, Found(5, 9, True), 9),
        (7, Found(5, 9, False), 9),
        (9, Found(5, 9, False), 9),
        (4, Found(5, 9, True), 4),
        (10, Found(5, 9, True), 10),
    ],
)
def test_a_reader_stands_behind_what_it_is_not_given(
    position: int, found: Found | None, stands_at: int
) -> None:
    assert passed_over(position, found) == stands_at
