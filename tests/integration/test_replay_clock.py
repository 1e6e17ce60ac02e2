"""A replay's events come in by the database's clock, by which its run is deleted."""

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from producers.replay.positions import ReplayPositions
from schemas.events import TweetPosted
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.integration.replay_runs import archive, raw_events, replay, tweet_line
from tests.integration.test_sink import query


def test_a_wrong_clock_is_measured_and_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    positions = ReplayPositions(
        partial(connect_postgres, settings.postgres_connection, "test"), "run"
    )
    assert abs(positions.database_is_ahead(lambda: datetime.now(UTC))) < timedelta(seconds=2)
    assert caplog.text == ""
    with caplog.at_level(logging.WARNING):
        ahead = positions.database_is_ahead(lambda: datetime.now(UTC) - timedelta(hours=1))
    assert abs(ahead - timedelta(hours=1)) < timedelta(seconds=2)
    assert "PostgreSQL's is used" in caplog.text
    positions.close()


def test_what_is_replayed_comes_in_between_two_looks_at_the_databases_clock(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    def clock() -> datetime:
        ((now,),) = query(connection, "SELECT clock_timestamp()")
        assert isinstance(now, datetime)
        return now

    before = clock()
    replay(settings, archive(tmp_path, tweet_line(1)), "--run", "one")
    (event,) = raw_events(settings)
    assert isinstance(event, TweetPosted)
    assert before < event.received_at < clock()
