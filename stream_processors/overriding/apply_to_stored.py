"""Overrides applied to a run's stored scores, batch by batch, with the rollups.

Each batch is a transaction. What is as the overrides want it is not written, so a run that was
killed is gone on with, and one that is repeated changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from model_server.overrides.apply_override import Overridden, apply_override
from model_server.overrides.override import Overrides
from schemas import locks
from schemas.run_changes import touch_runs
from schemas.transport.postgres import Connection
from stream_processors.redeciding.stored_scores import OF_DAY, StoredScore, days_of
from stream_processors.retention.prune_limit import kept_from
from stream_processors.sink.rollups import deltas
from stream_processors.sink.write_rows import move_rollups, override_columns

SCORES_AT_ONCE: Final = 1_000

# Locked in the order in which sinks lock, so that nobody waits in a ring. Without overrides only
# what was overridden is read.
_SCORES = """
SELECT t.run, t.day, t.root_id, t.posted_at, t.rules, t.hashtags,
       s.label, s.confidence, s.model_id, s.counts,
       t.text, t.language, s.probabilities, s.override_name, s.override_version,
       coalesce(s.label_without, s.label), coalesce(s.confidence_without, s.confidence)
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day
WHERE t.run = %(run)s AND s.run = %(run)s AND s.version = t.version
    AND t.root_id >= %(root_id)s AND (t.root_id, s.model_id) > (%(root_id)s, %(model_id)s)
    AND t.posted_at >= %(first)s AND t.posted_at < %(until)s
    AND (%(all)s OR s.override_name IS NOT NULL)
    {day}
ORDER BY t.run, t.root_id, s.model_id
LIMIT %(most)s
FOR UPDATE OF t, s
"""


class AppliedOverrides(Struct, frozen=True, kw_only=True):
    """How many scores were looked at, changed, and are overridden now."""

    run: str
    version: str | None
    scores: int = 0
    changed: int = 0
    overridden: int = 0


class _Batch(NamedTuple):
    scores: int
    changed: int
    overridden: int
    last: tuple[str, int] | None


def apply_to_stored(
    connection: Connection,
    run: str,
    overrides: Overrides | None,
    *,
    first: datetime,
    until: datetime,
    done: Callable[[int], None] = lambda _: None,
) -> AppliedOverrides:
    """Give the scores of tweets posted from `first` to before `until` the labels of overrides.

    None takes every override back: the labels are then those of the model, or of a decision. `done`
    is told of each batch by the number of its scores. Pruned days keep their figures.
    """
    report = AppliedOverrides(run=run, version=overrides.short_version if overrides else None)
    for day in days_of(connection, run, first, until):
        place: tuple[str, int] | None = ("", -1)
        while place is not None:
            asked = {
                "run": run,
                "day": day,
                "root_id": place[0],
                "model_id": place[1],
                "first": first,
                "until": until,
                "all": overrides is not None,
                "most": SCORES_AT_ONCE,
            }
            with connection, connection.cursor() as cur:
                batch = _apply(cur, overrides, asked)
            place = batch.last
            report = AppliedOverrides(
                run=run,
                version=report.version,
                scores=report.scores + batch.scores,
                changed=report.changed + batch.changed,
                overridden=report.overridden + batch.overridden,
            )
            done(batch.scores)
    return report


def _apply(cur: cursor, overrides: Overrides | None, asked: dict[str, Any]) -> _Batch:
    # Shared with the sinks; whoever removes tweets or a run is alone.
    cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))
    day = asked["day"]
    # Checked under the lock: the figures of a pruned day are final.
    if day is not None and day < kept_from(cur):
        return _Batch(0, 0, 0, None)
    cur.execute(_SCORES.format(day=OF_DAY if day is not None else ""), asked)
    rows = cur.fetchall()
    before: list[StoredScore] = []
    after: list[StoredScore] = []
    written: list[Overridden] = []
    overridden = 0
    for row in rows:
        run, tweet_day, root_id, posted_at, rules, hashtags, *score = row[:10]
        text, language, probabilities, name, version, label, confidence = row[10:]
        old = StoredScore(run, tweet_day, root_id, posted_at, tuple(rules), tuple(hashtags), *score)
        wanted = apply_override(
            overrides,
            text,
            language,
            old.rules,
            label=label,
            confidence=confidence,
            probabilities=probabilities,
        )
        applied = wanted.override
        overridden += applied is not None
        if (applied.name, applied.version) == (name, version) if applied else name is None:
            continue
        before.append(old)
        after.append(replace(old, label=wanted.label, confidence=wanted.confidence))
        written.append(wanted)
    if after:
        _write(cur, after, written)
        move_rollups(
            cur,
            deltas(
                (score for score in before if score.counts),
                (score for score in after if score.counts),
            ),
        )
        touch_runs(cur, [asked["run"]])
    last = (rows[-1][2], rows[-1][8]) if rows else None
    return _Batch(len(rows), len(after), overridden, last)


def _write(cur: cursor, scores: list[StoredScore], wanted: list[Overridden]) -> None:
    execute_values(
        cur,
        "UPDATE scores AS s SET label = v.label, confidence = v.confidence,"
        " override_name = v.name, override_version = v.version, label_without = v.label_without,"
        " confidence_without = v.confidence_without"
        " FROM (VALUES %s) AS v (run, day, root_id, model_id, label, confidence, name, version,"
        " label_without, confidence_without)"
        " WHERE s.run = v.run AND s.day = v.day AND s.root_id = v.root_id"
        " AND s.model_id = v.model_id",
        [
            (
                score.run,
                score.day,
                score.root_id,
                score.model_id,
                score.label,
                score.confidence,
                *override_columns(each.override),
            )
            for score, each in zip(scores, wanted, strict=True)
        ],
        template="(%s, %s::date, %s, %s, %s, %s::double precision, %s::text, %s::text, %s::text,"
        " %s::double precision)",
        page_size=len(scores),
    )
