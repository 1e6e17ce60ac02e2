"""Which runs are refreshed."""

from datetime import UTC, datetime, timedelta

from stream_processors.aggregates.refresh_plan import SETTLED_AFTER, RunChange, due

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
TTL = timedelta(minutes=10)
SECOND = timedelta(seconds=1)


def test_a_run_that_moves_is_refreshed_until_its_last_change_has_settled() -> None:
    changed_at = NOW - SETTLED_AFTER + SECOND
    assert due([RunChange("a", changed_at)], {"a": changed_at}, NOW, TTL) == ["a"]
    assert due([RunChange("a", changed_at)], {"a": changed_at}, NOW + 2 * SECOND, TTL) == []


def test_a_change_that_no_refresh_has_seen_is_due_however_old() -> None:
    late = RunChange("a", NOW - timedelta(hours=5))
    assert due([late], {"a": late.changed_at - SECOND}, NOW, TTL) == ["a"]


def test_a_new_refresher_replaces_what_an_earlier_one_may_have_left_unfinished() -> None:
    recent = RunChange("recent", NOW - TTL + SECOND)
    expired = RunChange("expired", NOW - TTL)
    assert due([recent, expired], {}, NOW, TTL) == ["recent"]


def test_live_is_always_due_since_its_windows_move_by_themselves() -> None:
    long_ago = RunChange("live", NOW - timedelta(days=5))
    assert due([long_ago], {"live": long_ago.changed_at}, NOW, TTL) == ["live"]
