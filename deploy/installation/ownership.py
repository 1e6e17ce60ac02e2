"""Whose database it is: one database belongs to one installation, known by its topic prefix."""

from schemas.failures import Failure
from schemas.setting_views import PostgresConnection
from schemas.transport.postgres import connect_postgres


def foreign_prefix(postgres: PostgresConnection, prefix: str) -> str | None:
    """Return the topic prefix of the other installation that owns the database, if one does."""
    connection = connect_postgres(postgres, "init")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('installation') IS NOT NULL")
            if cursor.fetchone() != (True,):
                return None
            cursor.execute("SELECT topic_prefix FROM installation")
            row = cursor.fetchone()
    finally:
        connection.close()
    return None if row is None or row[0] == prefix else str(row[0])


def own_database(postgres: PostgresConnection, prefix: str) -> None:
    """Make the migrated database this installation's; raise `Failure` where it is another's.

    Of several that do this at once with different prefixes one succeeds.
    """
    connection = connect_postgres(postgres, "init")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO installation (topic_prefix) VALUES (%s) ON CONFLICT DO NOTHING",
                (prefix,),
            )
    finally:
        connection.close()
    refuse_foreign(postgres, prefix)


def refuse_foreign(postgres: PostgresConnection, prefix: str) -> None:
    """Raise `Failure` where the database belongs to another installation."""
    other = foreign_prefix(postgres, prefix)
    if other is not None:
        raise Failure(foreign_sentence(other, prefix))


def foreign_sentence(other: str, prefix: str) -> str:
    """Return what to say of a database that belongs to another installation."""
    return (
        f"the database belongs to the installation with the topic prefix '{other}', and "
        f"MURMUR_TOPIC_PREFIX is '{prefix}': name a database of its own in MURMUR_POSTGRES"
    )
