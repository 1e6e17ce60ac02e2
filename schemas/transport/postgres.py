"""Connections to PostgreSQL."""

import psycopg2
from psycopg2.extensions import connection

from schemas.settings import Settings

Connection = connection


def connect_postgres(settings: Settings, application: str) -> Connection:
    """Open a connection, session in UTC; `psycopg2.OperationalError` where there is no server.

    `application` is what `pg_stat_activity` shows. TLS comes with the URI (`?sslmode=…`).
    """
    return psycopg2.connect(
        settings.postgres_uri,
        application_name=f"murmur {application}",
        connect_timeout=10,
        keepalives_idle=30,
        options="-c timezone=UTC -c lock_timeout=60s -c idle_in_transaction_session_timeout=300s",
    )
