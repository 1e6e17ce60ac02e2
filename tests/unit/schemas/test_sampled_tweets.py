from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.sampled_tweets import EVERY_LEVEL, levels_for, pieces_of

FIRST, LAST = datetime(1999, 12, 30, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
MOMENTS = st.integers(0, (LAST - FIRST) // timedelta(minutes=1)).map(
    lambda minutes: FIRST + timedelta(minutes=minutes)
)


@given(MOMENTS, st.integers(0, 200_000))
def test_pieces_are_the_whole_span_once(start: datetime, minutes: int) -> None:
    end = start + min(timedelta(minutes=minutes), LAST - start)
    pieces = sorted(pieces_of(start, end), key=lambda piece: piece.start)
    assert sum((piece.end - piece.start for piece in pieces), timedelta()) == end - start
    at = start
    for piece in pieces:
        assert piece.start == at
        at = piece.end
    # At most 23 hours and 59 minutes stand at either side of whole days.
    of_hours = [piece for piece in pieces if piece.granularity == "hour"]
    assert len(pieces) <= 5
    assert all(piece.end - piece.start < timedelta(days=2) for piece in of_hours)


def test_a_week_at_any_minute_is_read_by_days_but_for_its_ends() -> None:
    start = datetime(2026, 4, 1, 7, 30, tzinfo=UTC)
    pieces = pieces_of(start, start + timedelta(days=7))
    assert {(p.granularity, p.end - p.start) for p in pieces} == {
        ("day", timedelta(days=6)),
        ("hour", timedelta(hours=16)),
        ("hour", timedelta(hours=7)),
        ("minute", timedelta(minutes=30)),
    }


@given(st.integers(0, 10**12), st.integers(1, 20_000))
def test_a_sample_holds_what_is_wanted_and_three_times_that_at_most(tweets: int, most: int) -> None:
    levels = levels_for(tweets, most)
    assert levels == list(EVERY_LEVEL[levels[0] :])
    expected = tweets / 2 ** levels[0]
    assert levels[0] == 0 or expected >= most * 1.3
    assert levels[0] == EVERY_LEVEL[-1] or expected <= 2 * (most * 1.3 + 100)
