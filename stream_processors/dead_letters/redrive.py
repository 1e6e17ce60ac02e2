"""Publishing dead letters again, each to the topic that it came from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas import locks
from schemas.failures import Failure
from schemas.setting_views import Names
from schemas.topics import RAW, SCORED
from schemas.transport.dead_letters import CUT_HEADER
from schemas.transport.postgres import Connection
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.redrive_secret import redrive_secret
from schemas.transport.redrives import Redrive, redriven, signed
from stream_processors.dead_letters.letters import (
    MAX_REDRIVES,
    Letter,
    Selection,
    find_ids,
    load_letters,
)

_TOGETHER: Final = 100
"""Letters that are published before their status is written: at most 25 MiB."""


class RefusedRedrive(Struct, frozen=True, kw_only=True):
    """A letter that cannot be published again, and why."""

    dead_letter_id: int
    why: str


class RedriveReport(Struct, frozen=True, kw_only=True):
    """What became of the letters that were meant; with `dry_run` what would have become."""

    redriven: tuple[int, ...]
    refused: tuple[RefusedRedrive, ...]
    dry_run: bool


def why_not(letter: Letter, topics: frozenset[str]) -> str | None:
    """Return why a letter cannot be published again; None where it can."""
    reasons = (
        (letter.status == "discarded", "it was discarded"),
        (
            letter.redrives >= MAX_REDRIVES,
            f"it was redriven {letter.redrives} times already: discard it, or correct its source",
        ),
        (
            letter.source.startswith("file:"),
            "it is a line of a file, not a message: correct the line and replay the file",
        ),
        (
            letter.source not in topics,
            "the topic that it came from does not belong to this installation",
        ),
        (
            not letter.whole,
            f"only its beginning was kept: it had {letter.value_size_bytes:,} bytes",
        ),
        (
            any(name == CUT_HEADER for name, _ in letter.headers),
            "its key or its headers were too large to be kept whole",
        ),
    )
    return next((why for applies, why in reasons if applies), None)


def redrive(
    connection: Connection,
    selection: Selection,
    *,
    names: Names,
    publisher: ConfirmingPublisher | None,
) -> RedriveReport:
    """Publish letters again, untouched but for the header that links them to their row.

    Without a publisher it is a dry run: the report says what would become of the letters.
    A letter's status is written once the brokers have it. Killed in between, the command leaves it
    as it was, and the next call publishes it again: at least once, as everywhere, and harmless,
    since equal tweets are stored once. Raises `DeliveryFailed`, and `Failure` where another
    redrive is under way.
    """
    topics = frozenset(names.topic(topic) for topic in (RAW, SCORED))
    done: list[int] = []
    refused: list[RefusedRedrive] = []
    with _alone(connection):
        with connection, connection.cursor() as cur:
            ids = find_ids(cur, selection)
            secret = redrive_secret(cur)
        for start in range(0, len(ids), _TOGETHER):
            with connection, connection.cursor() as cur:
                letters = load_letters(cur, ids[start : start + _TOGETHER])
            reasons = [(letter, why_not(letter, topics)) for letter in letters]
            refused += [
                RefusedRedrive(dead_letter_id=letter.dead_letter_id, why=why)
                for letter, why in reasons
                if why is not None
            ]
            fit = [letter for letter, why in reasons if why is None]
            if publisher is not None:
                _publish(publisher, fit, secret)
                with connection, connection.cursor() as cur:
                    _note(cur, fit)
            done += [letter.dead_letter_id for letter in fit]
    return RedriveReport(redriven=tuple(done), refused=tuple(refused), dry_run=publisher is None)


def _publish(publisher: ConfirmingPublisher, letters: Sequence[Letter], secret: bytes) -> None:
    for letter in letters:
        link = Redrive(
            source=letter.source,
            partition=letter.source_partition,
            offset=letter.source_offset,
            timestamp_ms=letter.source_timestamp_ms,
            run=letter.run,
            count=letter.redrives + 1,
        )
        publisher.publish(
            letter.source,
            key=letter.key,
            value=letter.value,
            headers=redriven(letter.header_list, signed(link, secret)),
        )
    publisher.confirm()


def _note(cur: cursor, letters: Sequence[Letter]) -> None:
    """Write the status, except where the letter has failed again already and the sink knows."""
    execute_values(
        cur,
        "UPDATE dead_letters AS d SET status = 'redriven', redrives = done.redrives,"
        " status_at = now() FROM (VALUES %s) AS done (id, redrives)"
        " WHERE d.dead_letter_id = done.id AND d.redrives < done.redrives",
        [(letter.dead_letter_id, letter.redrives + 1) for letter in letters],
    )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold a lock that ends with the connection: two redrives would publish everything twice."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT pg_try_advisory_lock(%s)", (locks.REDRIVE,))
        if cur.fetchone() != (True,):
            raise Failure("another redrive is running: wait until it ends")
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            with connection, connection.cursor() as cur:
                cur.execute("SELECT pg_advisory_unlock(%s)", (locks.REDRIVE,))
