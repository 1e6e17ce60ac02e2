"""The verdicts on swaps find what was lost, doubled, or scored by another model."""

from datetime import UTC, datetime, timedelta

from tests.torture.swap_verdict import (
    LATEST_SWAP,
    Published,
    Served,
    differing_ids,
    swap_pauses_s,
    wrongly_scored,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SERVED = [Served("a", NOON), Served("b", NOON + 100 * SECOND), Served("a", NOON + 200 * SECOND)]


def test_a_score_by_a_model_that_was_never_promoted_is_found() -> None:
    assert wrongly_scored([("1", "c", NOON + SECOND)], SERVED) == ["1: c was never promoted"]


def test_a_score_outside_the_time_in_which_its_model_served_is_found() -> None:
    b_began, b_ended = NOON + 100 * SECOND, NOON + 200 * SECOND
    right = [("1", "a", NOON), ("2", "b", b_began), ("3", "b", b_ended + LATEST_SWAP)]
    again = [("4", "a", NOON + 5000 * SECOND)]
    assert wrongly_scored([*right, *again], SERVED) == []
    early, late = b_began - SECOND, b_ended + LATEST_SWAP + SECOND
    assert len(wrongly_scored([("5", "b", early), ("6", "b", late)], SERVED)) == 2


def test_lost_doubled_and_strange_tweets_are_found() -> None:
    assert differing_ids(["1", "2", "3"], ["3", "1", "2"]) == []
    assert differing_ids(["1", "2"], ["1", "1", "9"]) == [
        "1 is doubled",
        "9 was never published",
        "2 is lost",
    ]


def test_a_pause_is_between_two_models_of_one_partition_and_outside_of_kills() -> None:
    messages = [
        Published(0, 10.0, "1", "a"),
        Published(1, 10.0, "2", "a"),
        Published(0, 14.0, "3", "a"),
        Published(0, 14.5, "4", "b"),
        Published(1, 30.0, "5", "b"),
    ]
    assert swap_pauses_s(messages, []) == [0.5, 20.0]
    assert swap_pauses_s(messages, [(12.0, 13.0)]) == [0.5]
