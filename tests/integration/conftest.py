"""A connection to the test's own database."""

from collections.abc import Iterator

import pytest

from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    connection = connect_postgres(settings, "test")
    yield connection
    connection.close()
