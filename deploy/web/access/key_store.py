"""Keys in PostgreSQL: made, listed, revoked, noted as used."""

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from psycopg2.errors import UniqueViolation

from deploy.web.access.api_key import ApiKey, NewKey
from deploy.web.access.scopes import Scope
from schemas.failures import Failure
from schemas.transport.postgres import Connection

_COLUMNS: Final = "key_id, name, scopes, created_at, last_used_at, revoked_at"

_INSERT: Final = (
    "INSERT INTO api_keys (key_id, name, secret_sha256, scopes)"  # noqa: S608  constants
    f" VALUES (%s, %s, %s, %s) RETURNING {_COLUMNS}"
)
_REVOKE: Final = f"""
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE key_id = %(named)s OR (name = %(named)s AND revoked_at IS NULL
    AND NOT EXISTS (SELECT FROM api_keys WHERE key_id = %(named)s))
RETURNING {_COLUMNS}
"""  # noqa: S608


class StoredKey(NamedTuple):
    """A key that is valid, with the hash of its secret."""

    key: ApiKey
    secret_sha256: str


def store_key(connection: Connection, new: NewKey, name: str, scopes: Collection[Scope]) -> ApiKey:
    """Store a key; raise `Failure` where a valid one has its name."""
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                _INSERT,
                (new.key_id, name, new.secret_sha256, [scope.value for scope in scopes]),
            )
            return _key(cursor.fetchall()[0])
    except UniqueViolation:
        raise Failure(
            f"there is a key of the name {name!r}: take another name, or revoke that one first"
        ) from None


def list_keys(connection: Connection) -> list[ApiKey]:
    """Return all keys, also revoked ones, the newest first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, key_id"  # noqa: S608
        )
        return [_key(row) for row in cursor]


def revoke_key(connection: Connection, named: str) -> ApiKey:
    """Revoke the key of this id or, where it is no id, the valid one of this name.

    Revoking it again changes nothing. Raises `Failure` where there is none.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            _REVOKE,
            {"named": named},
        )
        for row in cursor.fetchall():
            return _key(row)
    raise Failure(f"there is no valid key {named!r}: `murmur keys list` shows them")


def valid_keys(connection: Connection) -> list[StoredKey]:
    """Return the keys that are not revoked; none where their table is not made yet."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('api_keys') IS NOT NULL")
        if not cursor.fetchall()[0][0]:
            return []
        cursor.execute(
            f"SELECT {_COLUMNS}, secret_sha256 FROM api_keys"  # noqa: S608
            " WHERE revoked_at IS NULL"
        )
        return [StoredKey(_key(row[:-1]), row[-1]) for row in cursor]


def note_use(connection: Connection, key_ids: Iterable[str]) -> None:
    """Note that keys were used in this hour."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE api_keys SET last_used_at = date_trunc('hour', now()) WHERE key_id = ANY(%s)"
            " AND last_used_at IS DISTINCT FROM date_trunc('hour', now())",
            (sorted(key_ids),),
        )


def _key(row: tuple[Any, ...]) -> ApiKey:
    key_id, name, scopes, created_at, last_used_at, revoked_at = row
    return ApiKey(
        key_id=key_id,
        name=name,
        scopes=tuple(Scope(scope) for scope in scopes),
        created_at=created_at,
        last_used_at=last_used_at,
        revoked_at=revoked_at,
    )
