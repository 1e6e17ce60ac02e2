"""The label that an archive brings with a tweet, beside those that people give here."""

from collections.abc import Sequence

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.people_labels import ARCHIVE, LabelOrigin
from stream_processors.sink.rows import NewRow


def write_archive_labels(cur: cursor, rows: Sequence[NewRow]) -> None:
    """Store the labels of those rows that came with one; a repeat changes nothing.

    They are imports: somebody chose these tweets, so they train and never audit.
    """
    execute_values(
        cur,
        "INSERT INTO labels (run, root_id, version, labeller, origin, label, answer_seen,"
        " labelled_at) VALUES %s ON CONFLICT DO NOTHING",
        [
            (
                row.run,
                row.root_id,
                row.version,
                ARCHIVE,
                LabelOrigin.IMPORT.value,
                row.event.label,
                False,
                row.event.received_at,
            )
            for row in rows
            if row.event.label
        ],
        page_size=1_000,
    )
