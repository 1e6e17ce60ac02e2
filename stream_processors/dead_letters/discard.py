"""Giving dead letters up: they stay, and say that nobody has to look at them again."""

from schemas.transport.postgres import Connection
from stream_processors.dead_letters.letters import Selection, find_ids


def discard(connection: Connection, selection: Selection, note: str) -> list[int]:
    """Mark letters as discarded, with a note, and return them; may be repeated."""
    with connection, connection.cursor() as cur:
        ids = find_ids(cur, selection)
        cur.execute(
            "UPDATE dead_letters SET status = 'discarded', note = %s, status_at = now()"
            " WHERE dead_letter_id = ANY(%s)",
            (note, ids),
        )
    return ids
