"""Fixtures of several tests: a connection to the test's own database, and a fake X."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres
from tests.integration.live_stream import TOKEN, settings_for
from tests.x_server.server import FakeX, fake_x


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings.postgres_connection, "test")
    yield connection
    connection.close()


@pytest.fixture
def x() -> Iterator[FakeX]:
    """A fake X without rules."""
    with fake_x(TOKEN, heartbeat_s=0.3) as server:
        yield server


@pytest.fixture
def to_x(x: FakeX, settings: Settings, tmp_path: Path) -> Settings:
    """The test's own settings, with the fake as X."""
    return settings_for(x, settings, tmp_path)
