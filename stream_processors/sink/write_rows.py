"""Writing a decision: batched statements, in key order, inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec
from psycopg2 import sql
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.equal_texts import delete_equal_texts
from schemas.events import LIVE, AppliedOverride
from schemas.partitioned_tables import AHEAD_OF_THE_SINK, BY_TWEET
from stream_processors.sink.archive_labels import write_archive_labels
from stream_processors.sink.decide import Decision
from stream_processors.sink.live_roots import add_roots, forget_roots
from stream_processors.sink.rollups import Deltas, HashtagKey, LanguageKey, RollupKey
from stream_processors.sink.rows import NewRow, Row, language_of

_PAGE = 1_000
_ROLLUP_COLUMNS = {
    "rollups": ("granularity", "bucket_start", "rule", "label", "model_id"),
    "hashtag_rollups": ("granularity", "bucket_start", "hashtag", "label"),
    "unknown_language_rollups": ("granularity", "bucket_start", "language"),
}


class ConcurrentChange(Exception):
    """Another sink changed the same tweets since they were read: decide anew.

    Happens only around a rebalance, when the old and the new owner of a partition overlap.
    """


def write_decision(cur: cursor, decision: Decision) -> None:
    """Write rows, scores, tombstones and rollups; raise `ConcurrentChange` to have it redone."""
    _write_tombstones(cur, decision)
    _delete_equal_texts(cur, decision.deletes)
    _delete(cur, [*decision.deletes, *decision.updates])
    _delete_what_belongs_to(cur, decision.deletes)
    _delete_what_is_ahead(cur, decision)
    forget_roots(cur, (row.root_id for row in decision.deletes if row.run == LIVE))
    fresh = sorted([*decision.inserts, *decision.updates], key=lambda row: row.key)
    _add_roots(cur, decision)
    _insert_tweets(cur, fresh)
    write_archive_labels(cur, fresh)
    _insert_scores(cur, fresh, counts=True)
    _insert_scores(cur, decision.further_scores, counts=False)
    move_rollups(cur, decision.deltas)


def _write_tombstones(cur: cursor, decision: Decision) -> None:
    execute_values(
        cur,
        "INSERT INTO tombstones (run, kind, id) VALUES %s ON CONFLICT DO NOTHING",
        sorted((t.run, t.kind, t.id) for t in decision.tombstones),
        page_size=_PAGE,
    )


def _delete_what_is_ahead(cur: cursor, decision: Decision) -> None:
    """Delete what others hold already of tweets that may never be stored here."""
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    for tombstone in decision.tombstones:
        named[tombstone.run, tombstone.kind].append(tombstone.id)
    for (run, kind), ids in sorted(named.items()):
        for table in AHEAD_OF_THE_SINK:
            statement = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s) AND (run = %s OR %s)").format(
                sql.Identifier(table),
                sql.Identifier("root_id" if kind == "tweet" else "author_id"),
            )
            cur.execute(statement, (sorted(ids), run, run == LIVE))


def _add_roots(cur: cursor, decision: Decision) -> None:
    try:
        add_roots(cur, decision.inserts, known=False)
    except UniqueViolation as error:
        raise ConcurrentChange("a tweet appeared meanwhile, on whatever day") from error
    add_roots(cur, decision.updates, known=True)


def _delete(cur: cursor, rows: Sequence[Row]) -> None:
    """Delete day by day: each statement then locks one partition, and not all that there are."""
    for run, day, of_day in _by_day(rows):
        for table in ("scores", "tweets"):
            cur.execute(
                f"DELETE FROM {table} WHERE run = %s AND day = %s AND root_id = ANY(%s)",  # noqa: S608
                (run, day, of_day),
            )


def _delete_equal_texts(cur: cursor, rows: Sequence[Row]) -> None:
    """Delete texts that people sent and that equal those of tweets that leave; an edit stays."""
    for of_day in _by_day(rows):
        tweets = sql.SQL("FROM tweets AS t WHERE run = %s AND day = %s AND root_id = ANY(%s)")
        delete_equal_texts(cur, tweets, of_day)


def _by_day(rows: Iterable[Row]) -> list[tuple[str, date, list[str]]]:
    """Return run, day and root ids of rows, a day at a time."""
    roots: dict[tuple[str, date], list[str]] = defaultdict(list)
    for row in rows:
        roots[row.run, row.posted_at.date()].append(row.root_id)
    return [(run, day, sorted(of_day)) for (run, day), of_day in sorted(roots.items())]


def _delete_what_belongs_to(cur: cursor, rows: Iterable[Row]) -> None:
    """Delete what hangs on tweets that leave; what people said of a tweet stays with its edits."""
    roots: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        roots[row.run].append(row.root_id)
    for run, of_run in sorted(roots.items()):
        for table in BY_TWEET:
            statement = sql.SQL("DELETE FROM {} WHERE run = %s AND root_id = ANY(%s)")
            cur.execute(statement.format(sql.Identifier(table)), (run, sorted(of_run)))


def _insert_tweets(cur: cursor, rows: Sequence[NewRow]) -> None:
    values = []
    for row in rows:
        event, extracted = row.event, row.event.extracted
        references = {reference.kind: reference.tweet_id for reference in event.references}
        values.append(
            (
                row.run,
                row.posted_at.date(),
                row.root_id,
                row.tweet_id,
                row.version,
                list(row.versions),
                row.posted_at,
                event.edited_at,
                event.received_at,
                event.text,
                language_of(event),
                row.author_id,
                event.conversation_id,
                row.retweet_of,
                row.retweet_of_author,
                references.get("quoted"),
                references.get("replied_to"),
                list(row.rules),
                list(row.hashtags),
                list(extracted.mentions),
                list(extracted.links),
                list(extracted.emoji),
                event.possibly_sensitive,
                event.label,
                event.source,
            )
        )
    inserted = execute_values(
        cur,
        "INSERT INTO tweets (run, day, root_id, tweet_id, version, edit_history, posted_at,"
        " edited_at, received_at, text, language, author_id, conversation_id, retweet_of,"
        " retweet_of_author, quote_of, reply_to, rules, hashtags, mentions, links, emoji,"
        " possibly_sensitive, human_label, source) VALUES %s ON CONFLICT DO NOTHING RETURNING 1",
        values,
        page_size=_PAGE,
        fetch=True,
        template="(%s, %s, %s, %s, %s, %s::text[], %s, %s::timestamptz, %s, %s, %s, %s, %s, %s,"
        " %s, %s, %s, %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s, %s, %s)",
    )
    if len(inserted) != len(rows):
        raise ConcurrentChange(f"{len(rows) - len(inserted)} tweets appeared meanwhile")


def _insert_scores(cur: cursor, rows: Iterable[NewRow], *, counts: bool) -> None:
    execute_values(
        cur,
        "INSERT INTO scores (run, day, root_id, model_id, version, counts, label, confidence,"
        " probabilities, scored_at, language_known, decision_id, override_name,"
        " override_version, label_without, confidence_without, arm) VALUES %s"
        " ON CONFLICT DO NOTHING",
        [
            (
                row.run,
                row.posted_at.date(),
                row.root_id,
                row.model_id,
                row.version,
                counts,
                row.label,
                row.confidence,
                msgspec.json.encode(row.event.score.probabilities).decode(),
                row.event.score.scored_at,
                row.event.score.language_known,
                row.event.score.decision,
                *override_columns(row.event.score.override),
                row.event.score.arm,
            )
            for row in rows
        ],
        page_size=_PAGE,
    )


def override_columns(
    applied: AppliedOverride | None,
) -> tuple[str | None, str | None, str | None, float | None]:
    """Return what a row says of its override: name, version, label and confidence without it."""
    if applied is None:
        return None, None, None, None
    return applied.name, applied.version, applied.label, applied.confidence


def move_rollups(cur: cursor, deltas: Deltas) -> None:
    """Move the rollups in key order, so that writers never wait in a ring."""
    execute_values(
        cur,
        "INSERT INTO rollups AS r (run, granularity, bucket_start, rule, label, model_id, tweets,"
        " confidence_micros) VALUES %s"
        " ON CONFLICT (run, granularity, bucket_start, rule, label, model_id) DO UPDATE SET"
        " tweets = r.tweets + excluded.tweets,"
        " confidence_micros = r.confidence_micros + excluded.confidence_micros",
        [(*key, *amounts) for key, amounts in sorted(deltas.rollups.items())],
        page_size=_PAGE,
    )
    execute_values(
        cur,
        "INSERT INTO hashtag_rollups AS r (run, granularity, bucket_start, hashtag, label, tweets)"
        " VALUES %s ON CONFLICT (run, granularity, bucket_start, hashtag, label) DO UPDATE SET"
        " tweets = r.tweets + excluded.tweets",
        [(*key, count) for key, count in sorted(deltas.hashtags.items())],
        page_size=_PAGE,
    )
    if deltas.languages:
        execute_values(
            cur,
            "INSERT INTO unknown_language_rollups AS r (run, granularity, bucket_start, language,"
            " tweets) VALUES %s ON CONFLICT (run, granularity, bucket_start, language) DO UPDATE"
            " SET tweets = r.tweets + excluded.tweets",
            [(*key, count) for key, count in sorted(deltas.languages.items())],
            page_size=_PAGE,
        )
    _delete_empty(cur, "rollups", (k for k, (tweets, _) in deltas.rollups.items() if tweets < 0))
    _delete_empty(
        cur, "hashtag_rollups", (key for key, count in deltas.hashtags.items() if count < 0)
    )
    _delete_empty(
        cur,
        "unknown_language_rollups",
        (key for key, count in deltas.languages.items() if count < 0),
    )


def _delete_empty(
    cur: cursor,
    table: str,
    lessened: Iterable[RollupKey] | Iterable[HashtagKey] | Iterable[LanguageKey],
) -> None:
    """Delete rollups of nothing, so that the tables equal a recount; run by run, as `_delete`."""
    by_run: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for run, *rest in lessened:
        by_run[str(run)].append(tuple(rest))
    columns = _ROLLUP_COLUMNS[table]
    for run, keys in sorted(by_run.items()):
        execute_values(
            cur,
            sql.SQL(
                "DELETE FROM {} AS r USING (VALUES %s) AS k ({}) WHERE r.run = {} AND ({}) = ({})"
                " AND r.tweets = 0"
            ).format(
                sql.Identifier(table),
                _listed("", columns),
                sql.Literal(run),
                _listed("r", columns),
                _listed("k", columns),
            ),
            sorted(keys),
            page_size=_PAGE,
        )


def _listed(table: str, columns: Sequence[str]) -> sql.Composable:
    names = [(table, column) if table else (column,) for column in columns]
    return sql.SQL(", ").join(sql.Identifier(*name) for name in names)
