"""What a job learns from and is judged by: people's labels of a run, with the texts they are of."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from model_server.cleaning import CLEANING
from retrain.datasets.near_duplicates import words_of
from schemas.people_labels import LabelOrigin
from schemas.private_files import write_private
from schemas.transport.postgres import Connection

_SCALE: Final = 1 << 60
_CLEANING: Final = "2"
"""Of this decision alone: it stays, whatever cleaning a model has."""

_LABELLED = """
SELECT DISTINCT ON (l.root_id) l.root_id, t.tweet_id, t.text, l.label, l.origin
FROM (
    SELECT run, root_id, version, label, 'audit' AS origin, labelled_at, 0 AS place FROM audits
    UNION ALL
    SELECT run, root_id, version, label, origin, labelled_at,
           CASE origin WHEN 'correction' THEN 1 WHEN 'queue' THEN 2 ELSE 3 END
    FROM labels WHERE origin <> 'audit' AND label IS NOT NULL AND repeat = 0
) AS l
JOIN tweets AS t ON t.run = l.run AND t.root_id = l.root_id AND t.version = l.version
WHERE l.run = %s
ORDER BY l.root_id, l.place, l.labelled_at DESC, l.label
"""
_TEXTS = "SELECT text_sha256, text, label FROM text_labels ORDER BY text_sha256"


class StoredLabel(Struct, frozen=True, kw_only=True):
    """A tweet with the label that counts: an audit's majority, else the newest of the others.

    A text of somebody's own has the SHA-256 of it in place of ids.
    """

    root_id: str
    tweet_id: str
    text: str
    label: str
    origin: LabelOrigin


def stored_labels(connection: Connection, run: str) -> list[StoredLabel]:
    """Return the labelled tweets of a run that are stored now, by their ids, and corrected texts.

    The latter are of no run: they say what the model that serves got wrong.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(_LABELLED, (run,))
        labels = [
            StoredLabel(
                root_id=root_id,
                tweet_id=tweet_id,
                text=text,
                label=label,
                origin=LabelOrigin(origin),
            )
            for root_id, tweet_id, text, label, origin in cursor
        ]
        cursor.execute(_TEXTS)
        return labels + [
            StoredLabel(
                root_id=sha256,
                tweet_id=sha256,
                text=text,
                label=label,
                origin=LabelOrigin.CORRECTION,
            )
            for sha256, text, label in cursor
        ]


def is_frozen(label: StoredLabel, share: float) -> bool:
    """Tell whether an audit is kept for the gate, so that nothing ever learns from it.

    Decided by a hash of the text's words: the same for its copies, and the same for ever. What is
    only nearly the same is left out of training as near a test text.
    """
    if label.origin is not LabelOrigin.AUDIT:
        return False
    words = words_of(CLEANING[_CLEANING](label.text))
    digest = hashlib.sha256(f"murmur-frozen:{words}".encode("utf-8", "replace")).hexdigest()
    return int(digest[:15], 16) < share * _SCALE


def write_labels(path: Path, labels: Iterable[StoredLabel]) -> str:
    """Write a label file for its owner alone, and return the SHA-256 of its content.

    The columns are those that training reads: `text`, `label`, `id`. The same labels give the same
    bytes.
    """
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(("text", "label", "id"))
    for each in labels:
        writer.writerow((" ".join(each.text.split()), each.label, each.tweet_id))
    write_private(path, content.getvalue())
    return hashlib.sha256(content.getvalue().encode()).hexdigest()


def counted(labels: Sequence[StoredLabel]) -> dict[str, dict[str, int]]:
    """Return how many labels there are by origin and label."""
    found: dict[str, dict[str, int]] = {}
    for each in labels:
        by_label = found.setdefault(each.origin.value, {})
        by_label[each.label] = by_label.get(each.label, 0) + 1
    return {origin: dict(sorted(by.items())) for origin, by in sorted(found.items())}
