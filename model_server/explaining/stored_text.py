"""The text of a stored tweet, for a command that explains it."""

from schemas.failures import NotThere
from schemas.transport.postgres import Connection


def stored_text(connection: Connection, tweet_id: str, run: str | None) -> str:
    """Return a tweet's text by its id or that of one of its versions.

    Without `run` it is that of the run which changed last. Raises `NotThere`.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.text FROM tweets AS t JOIN runs AS r ON r.run = t.run"
            " WHERE (t.root_id = %(id)s OR (t.version > 0 AND t.edit_history @> ARRAY[%(id)s]))"
            " AND (%(run)s::text IS NULL OR t.run = %(run)s)"
            " ORDER BY r.changed_at DESC, t.run LIMIT 1",
            {"id": tweet_id, "run": run},
        )
        for (text,) in cursor:
            return str(text)
    where = "no run" if run is None else f"run {run!r} does not"
    raise NotThere(f"{where} hold{'s' if run is None else ''} tweet {tweet_id!r}")
