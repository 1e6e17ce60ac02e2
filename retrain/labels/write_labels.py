"""Storing what people say, and taking it back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from retrain.labels.stored_tweets import stored_versions
from schemas import locks
from schemas.people_labels import LabelOrigin
from schemas.run_changes import touch_runs


class LabelKey(NamedTuple):
    """What identifies a label: a person says one thing of a version, for each reason to ask."""

    run: str
    root_id: str
    version: int
    labeller: str
    origin: LabelOrigin
    repeat: int = 0


class PersonsLabel(NamedTuple):
    """What a person says of one version of a tweet; `label` is None where they are unsure."""

    key: LabelKey
    label: str | None
    answer_seen: bool
    labelled_at: datetime


def write_labels(cur: cursor, labels: Sequence[PersonsLabel]) -> set[LabelKey]:
    """Store labels within the caller's transaction and return the keys of those that now stand.

    What was stored under the same key is replaced. Left out are labels of tweets that are not
    there, or not in that version yet: until the transaction ends nobody else removes a tweet, so
    none of these labels outlives its tweet. May be repeated.
    """
    hold_removals(cur)
    by_run: dict[str, dict[LabelKey, PersonsLabel]] = defaultdict(dict)
    for label in labels:
        by_run[label.key.run][label.key] = label
    written: set[LabelKey] = set()
    for run, of_run in sorted(by_run.items()):
        stored = stored_versions(cur, run, {key.root_id for key in of_run})
        rows = [
            of_run[key]
            for key in sorted(of_run)
            if key.root_id in stored and key.version <= stored[key.root_id].version
        ]
        _upsert(cur, rows)
        written |= {row.key for row in rows}
    touch_runs(cur, {key.run for key in written})
    return written


def delete_labels(cur: cursor, keys: Iterable[LabelKey]) -> None:
    """Take labels back within the caller's transaction; what is not there is no fault."""
    gone = sorted(keys)
    execute_values(
        cur,
        "DELETE FROM labels AS l USING (VALUES %s)"
        " AS k (run, root_id, version, labeller, origin, repeat)"
        " WHERE (l.run, l.root_id, l.version, l.labeller, l.origin, l.repeat)"
        " = (k.run, k.root_id, k.version, k.labeller, k.origin, k.repeat)",
        [(*key[:4], key.origin.value, key.repeat) for key in gone],
    )
    touch_runs(cur, {key.run for key in gone})


def hold_removals(cur: cursor) -> None:
    """Keep tweets from being removed until the transaction ends; others may do so too."""
    cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))


def _upsert(cur: cursor, rows: Sequence[PersonsLabel]) -> None:
    execute_values(
        cur,
        "INSERT INTO labels (run, root_id, version, labeller, origin, repeat, label, answer_seen,"
        " labelled_at) VALUES %s"
        " ON CONFLICT (root_id, run, version, labeller, origin, repeat) DO UPDATE SET"
        " label = excluded.label, answer_seen = excluded.answer_seen,"
        " labelled_at = excluded.labelled_at, stored_at = excluded.stored_at",
        [
            (
                *row.key[:4],
                row.key.origin.value,
                row.key.repeat,
                row.label,
                row.answer_seen,
                row.labelled_at,
            )
            for row in rows
        ],
        page_size=1_000,
    )
