"""A deletion reaches into the dead letters: their content goes, that they were there stays."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.transport.dead_letters import DeadLetter
from stream_processors.sink.rows import Tombstone

_LONG: Final = re.compile(rb"(?<![0-9])[0-9]{15,19}(?![0-9])")
"""Every id that X has given since 2010, wherever it stands: half lines have them too."""

_UNDER_AN_ID: Final = re.compile(rb'id(?:s|_str)?"\s*:\s*\[?\s*"?([0-9]{1,19})(?![0-9])')
"""Older and shorter ones, of accounts mostly, where JSON names them so."""


def named_ids(value: bytes | None) -> list[str]:
    """Return the ids of tweets and accounts in something that could not be processed, sorted."""
    found = {*_LONG.findall(value or b""), *_UNDER_AN_ID.findall(value or b"")}
    return sorted(each.decode() for each in found)


def tombstones_in(cur: cursor, letters: Sequence[DeadLetter]) -> set[Tombstone]:
    """Return the tombstones, of any run, of ids that stand in the letters."""
    ids = {each for letter in letters for each in named_ids(letter.value)}
    if not ids:
        return set()
    cur.execute("SELECT run, kind, id FROM tombstones WHERE id = ANY(%s)", (sorted(ids),))
    return {Tombstone(*row) for row in cur}


def erase_letters(cur: cursor, tombstones: Iterable[Tombstone]) -> None:
    """Erase the content of stored letters that name what was removed from their run.

    They are discarded with a note; a removal of `live` concerns all runs. Too much is erased
    rather than too little: an id is one wherever it stands.
    """
    execute_values(
        cur,
        "UPDATE dead_letters AS d SET value = NULL, status = 'discarded', status_at = now(),"
        " note = 'erased: it named what was deleted' FROM (VALUES %s) AS gone (run, id)"
        " WHERE d.named_ids @> ARRAY[gone.id] AND d.value IS NOT NULL"
        " AND (gone.run = 'live' OR gone.run = d.run)",
        sorted({(tombstone.run, tombstone.id) for tombstone in tombstones}),
        page_size=1_000,
    )
