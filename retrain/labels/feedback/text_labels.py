"""Labels of texts that are no stored tweets: a text has one."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor


class TextLabel(NamedTuple):
    """What somebody says of a text."""

    text: str
    label: str
    labeller: str
    labelled_at: datetime

    @property
    def text_sha256(self) -> str:
        """The same for texts that differ only in their white space."""
        return sha256_of_text(self.text)


class StoredTextLabel(NamedTuple):
    """What is stored of a text."""

    label: str
    labeller: str
    labelled_at: datetime


def sha256_of_text(text: str) -> str:
    """Return what names a text: the same for texts that differ only in their white space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def stored_text_label(cur: cursor, text_sha256: str) -> StoredTextLabel | None:
    """Return what a text is labelled with; until the transaction ends nobody else changes it."""
    cur.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (text_sha256,))
    return stored_text_labels(cur, [text_sha256]).get(text_sha256)


def stored_text_labels(cur: cursor, sha256s: Collection[str]) -> dict[str, StoredTextLabel]:
    """Return what is stored of texts, by the hash of each; those without a label are left out."""
    cur.execute(
        "SELECT text_sha256, label, labeller, labelled_at FROM text_labels"
        " WHERE text_sha256 = ANY(%s)",
        (list(sha256s),),
    )
    return {text_sha256: StoredTextLabel(*stored) for text_sha256, *stored in cur}


def write_text_label(cur: cursor, given: TextLabel) -> None:
    """Store a label in place of the one that the text had; may be repeated."""
    cur.execute(
        "INSERT INTO text_labels (text_sha256, text, label, labeller, labelled_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (text_sha256) DO UPDATE SET"
        " label = excluded.label, labeller = excluded.labeller,"
        " labelled_at = excluded.labelled_at",
        (given.text_sha256, given.text, given.label, given.labeller, given.labelled_at),
    )


def delete_text_label(cur: cursor, text_sha256: str) -> bool:
    """Delete a text with its label, and tell whether it was there."""
    cur.execute("DELETE FROM text_labels WHERE text_sha256 = %s RETURNING 1", (text_sha256,))
    return bool(cur.fetchall())
