"""Dead letters as they are stored, and which of them a person means."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.codec import Headers
from schemas.failures import Failure
from schemas.known_runs import require_run
from schemas.transport.postgres import Connection

MAX_REDRIVES: Final = 3
Status: TypeAlias = Literal["new", "redriven", "discarded"]


class UnknownLetter(Failure):
    """There is no dead letter of this number."""


class Letter(Struct, frozen=True, kw_only=True):
    """A dead letter with all that is known of it; the source is where it was read first."""

    dead_letter_id: int
    run: str | None
    stage: str
    reason: str
    detail: str
    source: str
    source_partition: int
    source_offset: int
    source_timestamp_ms: int
    status: Status
    redrives: int
    note: str
    status_at: datetime
    first_seen_at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value_size_bytes: int
    value_sha256: str

    @property
    def whole(self) -> bool:
        """Whether all of the value is kept."""
        return len(self.value or b"") == self.value_size_bytes

    @property
    def header_list(self) -> Headers:
        """The headers as a message has them."""
        return list(self.headers)


class Selection(Struct, frozen=True, kw_only=True):
    """Which letters: every part that is given has to fit; times are of `first_seen_at`.

    An empty `run` means the letters of no run.
    """

    ids: tuple[int, ...] = ()
    run: str | None = None
    reason: str | None = None
    stage: str | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None


_FITS: Final = """
    (%(ids)s = '{}' OR dead_letter_id = ANY(%(ids)s::bigint[]))
    AND (%(run)s IS NULL OR run = %(run)s OR (%(run)s = '' AND run IS NULL))
    AND (%(reason)s IS NULL OR reason = %(reason)s)
    AND (%(stage)s IS NULL OR stage = %(stage)s) AND (%(status)s IS NULL OR status = %(status)s)
    AND (%(since)s IS NULL OR first_seen_at >= %(since)s)
    AND (%(until)s IS NULL OR first_seen_at < %(until)s)
"""
_COLUMNS: Final = ", ".join(field for field in Letter.__struct_fields__)


def count_letters(cur: cursor, selection: Selection) -> int:
    """Return how many letters are meant."""
    cur.execute(f"SELECT count(*) FROM dead_letters WHERE {_FITS}", _parameters(selection))  # noqa: S608  constants
    return int(cur.fetchall()[0][0])


def require_run_of(connection: Connection, selection: Selection) -> None:
    """Raise `UnknownRun` where letters of a run are meant that has none and does not exist."""
    if selection.run is None:
        return
    with connection, connection.cursor() as cur:
        letters = count_letters(cur, Selection(run=selection.run))
    if not letters:
        require_run(connection, selection.run)


def find_ids(cur: cursor, selection: Selection) -> list[int]:
    """Return the letters that are meant, oldest first; `UnknownLetter` for a number of none."""
    cur.execute(
        f"SELECT dead_letter_id FROM dead_letters WHERE {_FITS} ORDER BY dead_letter_id",  # noqa: S608  constants
        _parameters(selection),
    )
    found = [number for (number,) in cur]
    unknown = sorted(set(selection.ids) - set(found))
    if unknown and selection == Selection(ids=selection.ids):
        raise UnknownLetter(f"there is no dead letter {unknown[0]}: see `murmur dead-letters list`")
    return found


def newest_letters(cur: cursor, selection: Selection, limit: int) -> list[Letter]:
    """Return the letters that are meant, newest first."""
    cur.execute(
        f"SELECT {_COLUMNS} FROM dead_letters WHERE {_FITS}"  # noqa: S608  constants
        " ORDER BY dead_letter_id DESC LIMIT %(limit)s",
        {**_parameters(selection), "limit": limit},
    )
    return [_letter(row) for row in cur]


def load_letters(cur: cursor, ids: Sequence[int]) -> list[Letter]:
    """Return letters by number, in the order of their numbers."""
    return newest_letters(cur, Selection(ids=tuple(ids)), len(ids))[::-1] if ids else []


def _parameters(selection: Selection) -> dict[str, Any]:
    return {**msgspec.structs.asdict(selection), "ids": list(selection.ids)}


def _letter(row: tuple[Any, ...]) -> Letter:
    columns = dict(zip(Letter.__struct_fields__, row, strict=True))
    for name in ("key", "value"):
        columns[name] = None if columns[name] is None else bytes(columns[name])
    columns["headers"] = tuple((name, base64.b64decode(v)) for name, v in columns["headers"])
    return Letter(**columns)
