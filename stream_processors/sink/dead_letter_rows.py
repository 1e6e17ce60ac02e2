"""Dead letters in PostgreSQL, each once, by the position of what could not be processed."""

import base64
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import psycopg2
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.storable_text import storable_text
from schemas.transport.dead_letters import DeadLetter
from schemas.transport.redrive_secret import redrive_secret
from schemas.transport.redrives import Redrive, is_vouched_for, redrive_of
from stream_processors.sink.erase_dead_letters import named_ids


class _Identity(NamedTuple):
    """What identifies a row; two letters with the same are the same."""

    run: str | None
    source: str
    partition: int
    offset: int
    timestamp_ms: int


def write_letters(cur: cursor, letters: Sequence[DeadLetter]) -> None:
    """Insert dead letters; one that is known already stays as it is, with its status.

    A letter that was redriven and failed again is the row of its first position: the row becomes
    `new` again with the reason of now, unless it was discarded meanwhile. A repeat of an earlier
    failure changes nothing. A letter that only says so, unsigned, is a letter of its own.
    """
    redrives = _vouched_for(cur, letters)
    execute_values(
        cur,
        "INSERT INTO dead_letters AS d (run, source, source_partition, source_offset,"
        " source_timestamp_ms, redrives, stage, reason, detail, key, value, headers,"
        " value_size_bytes, value_sha256, named_ids) VALUES %s"
        " ON CONFLICT (source, source_partition, source_offset, source_timestamp_ms, run)"
        " DO UPDATE SET status = 'new', status_at = now(), redrives = excluded.redrives,"
        " stage = excluded.stage, reason = excluded.reason, detail = excluded.detail"
        " WHERE d.status <> 'discarded' AND (d.redrives < excluded.redrives"
        " OR (d.redrives = excluded.redrives AND d.status = 'redriven'))",
        [
            (
                *identity,
                count,
                storable_text(letter.stage),
                storable_text(letter.reason),
                storable_text(letter.detail),
                psycopg2.Binary(letter.key) if letter.key is not None else None,
                psycopg2.Binary(letter.value) if letter.value is not None else None,
                _headers(letter),
                letter.value_size_bytes,
                storable_text(letter.value_sha256),
                named_ids(letter),
            )
            for identity, (count, letter) in _last_failures(letters, redrives).items()
        ],
        template=f"({', '.join(['%s'] * 14)}, %s::text[])",
    )


def _vouched_for(cur: cursor, letters: Iterable[DeadLetter]) -> list[Redrive | None]:
    """Return what each letter says of a redrive, where that is signed."""
    links = [redrive_of(letter.headers) for letter in letters]
    if not any(links):
        return links
    secret = redrive_secret(cur)
    return [link if link is not None and is_vouched_for(link, secret) else None for link in links]


def _last_failures(
    letters: Iterable[DeadLetter], redrives: Iterable[Redrive | None]
) -> dict[_Identity, tuple[int, DeadLetter]]:
    """Return each row's last failure: a statement may touch a row only once."""
    rows: dict[_Identity, tuple[int, DeadLetter]] = {}
    for letter, redrive in zip(letters, redrives, strict=True):
        identity, count = _identity(letter, redrive)
        if identity not in rows or rows[identity][0] < count:
            rows[identity] = count, letter
    return rows


def _identity(letter: DeadLetter, redrive: Redrive | None) -> tuple[_Identity, int]:
    """Return the row that a letter is, and how often it had been redriven when it failed."""
    if redrive is not None:
        run, source = redrive.run, redrive.source
        place, count = (redrive.partition, redrive.offset, redrive.timestamp_ms), redrive.count
    else:
        at = letter.position
        run, source = letter.run, at.source
        place, count = (at.partition, at.offset, at.timestamp_ms), 0
    return _Identity(
        None if run is None else storable_text(run), storable_text(source), *place
    ), count


def _headers(letter: DeadLetter) -> str:
    """Return the headers as JSON pairs; values are bytes of any kind, so Base64."""
    pairs = [
        (storable_text(name), base64.b64encode(value).decode()) for name, value in letter.headers
    ]
    return msgspec.json.encode(pairs).decode()
