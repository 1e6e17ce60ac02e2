"""Dead letters in PostgreSQL, each once, by the position of what could not be processed."""

import base64
from collections.abc import Sequence

import msgspec
import psycopg2
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.transport.dead_letters import DeadLetter


def write_letters(cur: cursor, letters: Sequence[DeadLetter]) -> None:
    """Insert dead letters; one that is known already stays as it is, with its status."""
    execute_values(
        cur,
        "INSERT INTO dead_letters (run, stage, reason, detail, source, source_partition,"
        " source_offset, source_timestamp_ms, key, value, headers, value_size_bytes, value_sha256)"
        " VALUES %s ON CONFLICT DO NOTHING",
        [
            (
                _storable(letter.run) if letter.run is not None else None,
                _storable(letter.stage),
                _storable(letter.reason),
                _storable(letter.detail),
                _storable(letter.position.source),
                letter.position.partition,
                letter.position.offset,
                letter.position.timestamp_ms,
                psycopg2.Binary(letter.key) if letter.key is not None else None,
                psycopg2.Binary(letter.value) if letter.value is not None else None,
                _headers(letter),
                letter.value_size_bytes,
                _storable(letter.value_sha256),
            )
            for letter in letters
        ],
    )


def _headers(letter: DeadLetter) -> str:
    """Return the headers as JSON pairs; values are bytes of any kind, so Base64."""
    pairs = [(_storable(name), base64.b64encode(value).decode()) for name, value in letter.headers]
    return msgspec.json.encode(pairs).decode()


def _storable(text: str) -> str:
    """Return the text without what PostgreSQL cannot store; anybody may write to the topic."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()
