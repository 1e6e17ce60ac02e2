"""Connections to PostgreSQL."""

from datetime import datetime
from typing import Final

import psycopg2
from psycopg2.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from psycopg2.extensions import connection

from schemas.failures import Failure
from schemas.setting_views import PostgresConnection

Connection = connection


_REFUSALS: Final = (
    "certificate verify failed",
    "does not match host name",
    "root certificate file",
    "could not load private key file",
    "server does not support SSL",
    "no pg_hba.conf entry",
    "password authentication failed",
)
"""What libpq says where trust is missing; it gives no codes for it."""

REFUSES_WRITES: Final = (ReadOnlySqlTransaction, InsufficientPrivilege)
"""A standby, a server that protects a full disk, a right that is missing: each may pass."""

TAKES_NO_WRITES: Final = "PostgreSQL takes no writes from this user now"


class PostgresUnavailable(Failure):
    """No connection could be opened; it may pass."""


class PostgresRefused(PostgresUnavailable):
    """PostgreSQL and this process do not trust each other; that does not pass by itself."""


def database_now(connection: Connection) -> datetime:
    """Return the time by PostgreSQL's clock, in a transaction of its own.

    What several machines compare is stamped by it: their own clocks may differ.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((now,),) = cursor.fetchall()
    moment: datetime = now
    return moment


def connect_postgres(
    postgres: PostgresConnection, application: str, *, timeout_s: int = 10
) -> Connection:
    """Open a connection, session in UTC; raise `PostgresUnavailable` where there is no server.

    Raises `PostgresRefused` where a certificate or a password is wrong: waiting does not help.

    `application` is what `pg_stat_activity` shows, `timeout_s` how long the server may take to
    answer. TLS comes with the URI (`?sslmode=…`).
    """
    try:
        return psycopg2.connect(
            postgres.uri.get_secret_value(),
            application_name=f"murmur {application}",
            connect_timeout=timeout_s,
            keepalives_idle=30,
            options="-c timezone=UTC -c lock_timeout=60s"
            " -c idle_in_transaction_session_timeout=300s",
        )
    except psycopg2.ProgrammingError:
        # Its message repeats the whole URI, and with it the password.
        raise Failure("MURMUR_POSTGRES is not a valid URI of PostgreSQL") from None
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        if any(refusal in reason for refusal in _REFUSALS):
            raise PostgresRefused(
                f"PostgreSQL refuses, or is not trusted ({reason}): check MURMUR_POSTGRES, its "
                "password, sslmode and sslrootcert"
            ) from error
        raise PostgresUnavailable(
            f"PostgreSQL does not answer ({reason}): start it (`murmur up`), or check "
            "MURMUR_POSTGRES"
        ) from error
