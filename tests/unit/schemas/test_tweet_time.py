"""A tweet's time comes from its id, else from what it says, else from its run."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.tweet_time import FIRST_TWEET, ImplausibleTime, posted_at, snowflake_time

RUN_START = datetime(2026, 1, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_snowflake_holds_the_time_of_its_making() -> None:
    # A published example (Wikipedia, "Snowflake ID").
    assert snowflake_time("1541815603606036480") == datetime(
        2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "tweet_id", ["20", "29999999999", "abc123", "", "-5", "9" * 30, "٣٣٣٣٣٣٣٣٣٣٣٣٣"]
)
def test_other_ids_hold_no_time(tweet_id: str) -> None:
    assert snowflake_time(tweet_id) is None


def test_the_id_is_believed_before_the_date() -> None:
    created = datetime(2020, 5, 5, tzinfo=UTC)
    assert posted_at("800000000000000000", created, RUN_START, RECEIVED).year == 2016
    assert posted_at("20", created, RUN_START, RECEIVED) == created
    assert posted_at("20", None, RUN_START, RECEIVED) == RUN_START


@pytest.mark.parametrize(
    "created", [datetime(1999, 1, 1, tzinfo=UTC), RECEIVED + timedelta(days=2)]
)
def test_a_time_that_cannot_be_is_refused(created: datetime) -> None:
    with pytest.raises(ImplausibleTime):
        posted_at("20", created, RUN_START, RECEIVED)


@given(st.integers(min_value=0, max_value=2**70))
def test_every_accepted_id_has_a_plausible_time(number: int) -> None:
    try:
        when = posted_at(str(number), None, RUN_START, RECEIVED)
    except ImplausibleTime:
        return
    assert FIRST_TWEET <= when <= RECEIVED + timedelta(days=1)
    assert when.microsecond % 1000 == 0
