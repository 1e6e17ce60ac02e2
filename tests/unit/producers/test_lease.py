"""The right to connect to X, where PostgreSQL is away."""

from producers.x_connection.lease import Lease
from schemas.transport.postgres import Connection, PostgresUnavailable


def test_whose_the_lease_is_is_unknown_while_postgresql_does_not_answer() -> None:
    def connect() -> Connection:
        raise PostgresUnavailable("away")

    assert Lease(connect).held() is None
