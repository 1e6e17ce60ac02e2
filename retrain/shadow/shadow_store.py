"""Pairs of answers in PostgreSQL: stored once, with the positions, and never of removed tweets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from retrain.shadow.shadow_batch import Pair, ShadowBatch
from schemas import locks
from schemas.deleted_runs import deletions_of_runs, lives
from schemas.events import LIVE
from schemas.transport.positions import SHADOW, write_positions
from schemas.transport.postgres import Connection

_PAGE: Final = 500


class StoredPairs(NamedTuple):
    """What became of a batch's messages, and how many of the pairs that are new to the table flip.

    One that was refused or came before counts among the outcomes alone.
    """

    outcomes: Counter[str]
    flips: int


class ShadowTransaction:
    """Stores batches; a batch may be stored any number of times with the same result.

    Raises psycopg2's errors; after any of them nothing of the batch is stored. Removals wait for
    it: what was removed before is left out, and what is removed later is found by the sink.
    """

    def __init__(self, topic_ids: Mapping[str, str]) -> None:
        self._topic_ids = topic_ids

    def store(self, connection: Connection, batch: ShadowBatch) -> StoredPairs:
        """Store a batch, move the positions, and return what became of its messages."""
        outcomes = Counter(batch.outcomes)
        with connection, connection.cursor() as cur:
            cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))
            deleted_at = deletions_of_runs(cur, {pair.tweet.run for pair in batch.pairs})
            living = [
                pair
                for pair in batch.pairs
                if lives(pair.tweet.run, pair.tweet.received_at, deleted_at)
            ]
            refused, limit = _removed(cur, living), _kept_from(cur)
            kept = [
                pair
                for pair in living
                if (pair.tweet.run, pair.tweet.root_id) not in refused
                and (pair.tweet.run != LIVE or pair.tweet.day >= limit)
            ]
            flips = _insert(cur, kept)
            write_positions(cur, SHADOW, batch.last_messages, self._topic_ids)
        outcomes["run-deleted"] += len(batch.pairs) - len(living)
        outcomes["refused"] += len(living) - len(kept)
        outcomes["compared"] += len(flips)
        outcomes["repeated"] += len(kept) - len(flips)
        return StoredPairs(+outcomes, sum(flips))


def forget_old(connection: Connection, kept_for: timedelta) -> int:
    """Delete pairs that were scored longer ago; return how many."""
    with connection, connection.cursor() as cur:
        cur.execute("DELETE FROM shadow_scores WHERE scored_at < now() - %s", (kept_for,))
        return cur.rowcount


def _insert(cur: cursor, pairs: Sequence[Pair]) -> list[bool]:
    """Store pairs; return of each that was not there before whether it flips."""
    rows = sorted(
        (
            pair.tweet.run,
            pair.tweet.root_id,
            pair.tweet.version,
            pair.tweet.author_id,
            pair.tweet.day,
            pair.tweet.posted_at,
            sorted({rule.tag for rule in pair.tweet.rules}),
            pair.event.model.sha256,
            pair.event.label,
            pair.event.confidence,
            pair.event.challenger.model.sha256,
            f"{pair.event.challenger.model.name} {pair.event.challenger.model.version}",
            pair.event.challenger.label,
            pair.event.challenger.confidence,
            pair.event.challenger.scored_at,
        )
        for pair in pairs
    )
    stored = execute_values(
        cur,
        "INSERT INTO shadow_scores (run, root_id, version, author_id, day, posted_at, rules,"
        " model_sha256, label, confidence, challenger_sha256, challenger_name, challenger_label,"
        " challenger_confidence, scored_at) VALUES %s ON CONFLICT DO NOTHING"
        " RETURNING label <> challenger_label",
        rows,
        page_size=_PAGE,
        fetch=True,
    )
    return [flips for (flips,) in stored]


def _removed(cur: cursor, pairs: Sequence[Pair]) -> set[tuple[str, str]]:
    """Return which tweets a tombstone refuses, by run and root id."""
    cur.execute(
        "SELECT k.run, k.root_id FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])"
        " AS k (run, root_id, tweet_id, author_id) WHERE EXISTS (SELECT FROM tombstones AS t"
        " WHERE t.run IN (k.run, %s) AND (t.kind, t.id) IN (('tweet', k.root_id),"
        " ('tweet', k.tweet_id), ('author', k.author_id)))",
        (
            [pair.tweet.run for pair in pairs],
            [pair.tweet.root_id for pair in pairs],
            [pair.tweet.tweet_id for pair in pairs],
            [pair.tweet.author_id for pair in pairs],
            LIVE,
        ),
    )
    return {(run, root_id) for run, root_id in cur}


def _kept_from(cur: cursor) -> date:
    cur.execute("SELECT max(kept_from) FROM kept_days WHERE run = %s", (LIVE,))
    ((limit,),) = cur.fetchall()
    return date.min if limit is None else limit
