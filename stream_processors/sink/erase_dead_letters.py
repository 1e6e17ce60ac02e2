"""A deletion reaches into the dead letters: their content goes, that they were there stays."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.made_ids import made_id
from schemas.transport.dead_letters import DeadLetter, SourcePosition
from stream_processors.sink.rows import Tombstone

_LONG: Final = re.compile(rb"(?<![0-9])[0-9]{15,19}(?![0-9])")
"""Every id that X has given since 2010, wherever it stands: half lines have them too."""

_UNDER_AN_ID: Final = re.compile(
    rb'id(?:s|_str)?"\s*:\s*\[?\s*"?([0-9A-Za-z_]{1,64})(?![0-9A-Za-z_])'
)
"""Older and shorter ones, of accounts mostly, and those that are hashes, where JSON names them."""

_FIELD: Final = re.compile(
    rb"""(?:^|[,;|\t])[ ]*"?([0-9]{2,14})(?=["\s]*(?:$|[,;|\t]))""", re.MULTILINE
)
"""Short ones that are all of a field between delimiters: archives of before 2010."""

_MOST_FIELDS: Final = 1_000
"""A line's id stands among its first fields; whoever writes a hundred thousand numbers has none."""

_ID: Final = re.compile(rb"[0-9A-Za-z_]{1,64}")
_FILE: Final = "file:"


def named_ids(letter: DeadLetter) -> list[str]:
    """Return the ids of tweets and accounts in something that could not be processed, sorted.

    They stand in its value, or are its key, or were made of its place in a file. Too many are
    named rather than too few.
    """
    value = letter.value or b""
    found = {*_LONG.findall(value), *_UNDER_AN_ID.findall(value)}
    found.update(match[1] for match in islice(_FIELD.finditer(value), _MOST_FIELDS))
    if letter.key is not None and _ID.fullmatch(letter.key):
        found.add(letter.key)
    return sorted({each.decode() for each in found} | _made_ids(letter.position))


def _made_ids(at: SourcePosition) -> set[str]:
    """Return the ids that a replay makes for a line that has none."""
    if not at.source.startswith(_FILE):
        return set()
    content = at.source.removeprefix(_FILE)
    return {made_id(content, at.offset), made_id(content, at.offset, at.partition)}


def tombstones_in(cur: cursor, letters: Sequence[DeadLetter]) -> set[Tombstone]:
    """Return the tombstones, of any run, of ids that stand in the letters."""
    ids = {each for letter in letters for each in named_ids(letter)}
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
