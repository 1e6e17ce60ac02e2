"""Deciding a run's stored scores anew, batch by batch, with the rollups in the same transactions.

What was decided is not read again, so a run that was killed is gone on with, and one that is
repeated changes nothing. Tweets that arrive meanwhile are decided by whatever scoring uses.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from model_server.decisions import decide, fits, own_answer
from model_server.overrides.apply_override import apply_override
from model_server.overrides.followed_overrides import no_overrides
from model_server.overrides.override import Overrides
from schemas import locks
from schemas.decisions import NamedDecision
from schemas.failures import Failure
from schemas.run_changes import touch_runs
from schemas.transport.postgres import Connection
from stream_processors.redeciding.stored_scores import OF_DAY, StoredScore, days_of
from stream_processors.retention.prune_limit import kept_from
from stream_processors.sink.rollups import deltas
from stream_processors.sink.write_rows import move_rollups, override_columns

SCORES_AT_ONCE: Final = 1_000
"""So many are locked, and held in memory, at a time."""

_BEFORE_ALL: Final = ("", -1)

_OverrideColumns: TypeAlias = tuple[str | None, str | None, str | None, float | None]
"""An override's name and version, and the label and confidence without it."""

# Locked in the order in which sinks lock, so that nobody waits in a ring.
_SCORES = """
SELECT t.run, t.day, t.root_id, t.posted_at, t.rules, t.hashtags,
       s.label, s.confidence, s.model_id, s.counts,
       s.override_name, s.override_version, s.probabilities, m.labels,
       t.text, t.language, s.version = t.version
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day
JOIN models AS m ON m.model_id = s.model_id
WHERE t.run = %(run)s AND s.run = %(run)s
    AND t.root_id >= %(root_id)s AND (t.root_id, s.model_id) > (%(root_id)s, %(model_id)s)
    AND t.posted_at >= %(first)s AND t.posted_at < %(until)s
    AND s.decision_id IS DISTINCT FROM %(decision)s
    AND (%(model_sha256)s::text IS NULL OR m.sha256 = %(model_sha256)s)
    {day}
ORDER BY t.run, t.root_id, s.model_id
LIMIT %(most)s
FOR UPDATE OF t, s
"""


class Redecided(Struct, frozen=True, kw_only=True):
    """How many scores were decided anew, and how many of them got another label.

    `note` says why there were none, and is empty otherwise.
    """

    run: str
    decision: str | None
    scores: int = 0
    other_labels: int = 0
    note: str = ""


def redecide(
    connection: Connection,
    run: str,
    target: NamedDecision | None,
    *,
    first: datetime,
    until: datetime,
    overrides: Callable[[], Overrides | None] = no_overrides,
    done: Callable[[int], None] = lambda _: None,
    scores_at_once: int = SCORES_AT_ONCE,
) -> Redecided:
    """Give the scores of tweets posted from `first` to before `until` the labels of a decision.

    None stands for the model's own labels. `overrides`, asked before each batch, come last, as
    where tweets are scored; without them, what was overridden stays so. A decision reaches the
    scores of its parent model alone, whatever decided them before; what it decided already it
    leaves as it is. Each batch is a transaction, which deletions wait for; rows, rollups and the
    mark that the caches follow move in it together. `done` is told of each batch by the number of
    its scores. Days of `live` that were pruned keep their figures. Raises `Failure` where the
    decision does not fit the run or its model.
    """
    if target is not None:
        _require_fitting(connection, run, target)
    scores = other_labels = 0
    for day in days_of(connection, run, first, until):
        place = _BEFORE_ALL
        while True:
            with connection, connection.cursor() as cur:
                before, after = _batch(
                    cur,
                    target,
                    overrides(),
                    {
                        "run": run,
                        "day": day,
                        "root_id": place[0],
                        "model_id": place[1],
                        "first": first,
                        "until": until,
                        "decision": target.id if target is not None else None,
                        "model_sha256": target.decision.model_sha256 if target else None,
                        "most": scores_at_once,
                    },
                )
            scores += len(after)
            other_labels += sum(
                old.label != new.label for old, new in zip(before, after, strict=True)
            )
            if not after:
                break
            place = after[-1].root_id, after[-1].model_id
            done(len(after))
    return Redecided(
        run=run,
        decision=target.id if target is not None else None,
        scores=scores,
        other_labels=other_labels,
    )


def _batch(
    cur: cursor,
    target: NamedDecision | None,
    overrides: Overrides | None,
    asked: dict[str, Any],
) -> tuple[list[StoredScore], list[StoredScore]]:
    """Do one batch; return its scores as they were and as they are."""
    # Shared with the sinks; whoever removes tweets or a run is alone.
    cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))
    day = asked["day"]
    # Checked under the lock: the figures of a pruned day are final.
    if day is not None and day < kept_from(cur):
        return [], []
    cur.execute(_SCORES.format(day=OF_DAY if day is not None else ""), asked)
    before: list[StoredScore] = []
    after: list[StoredScore] = []
    overridden: list[_OverrideColumns] = []
    for row in cur.fetchall():
        run, tweet_day, root_id, posted_at, rules, hashtags, *score = row[:10]
        name, version, probabilities, labels, text, language, is_its_text = row[10:]
        old = StoredScore(run, tweet_day, root_id, posted_at, tuple(rules), tuple(hashtags), *score)
        label, confidence = (
            decide(probabilities, old.rules, target.decision)
            if target is not None
            else own_answer(probabilities, labels)
        )
        before.append(old)
        if overrides is not None and is_its_text:
            wanted = apply_override(
                overrides,
                text,
                language,
                old.rules,
                label=label,
                confidence=confidence,
                probabilities=probabilities,
            )
            overridden.append(override_columns(wanted.override))
            after.append(replace(old, label=wanted.label, confidence=wanted.confidence))
        elif name is None:
            overridden.append(override_columns(None))
            after.append(replace(old, label=label, confidence=confidence))
        else:
            # The override's label stays; what is decided is what stands there without it.
            overridden.append((name, version, label, confidence))
            after.append(old)
    if not after:
        return [], []
    _write(cur, after, overridden, asked["decision"])
    move_rollups(
        cur,
        deltas(
            (score for score in before if score.counts), (score for score in after if score.counts)
        ),
    )
    touch_runs(cur, [asked["run"]])
    return before, after


def _write(
    cur: cursor,
    scores: list[StoredScore],
    overridden: list[_OverrideColumns],
    decision: str | None,
) -> None:
    execute_values(
        cur,
        "UPDATE scores AS s SET label = v.label, confidence = v.confidence,"
        " decision_id = v.decision_id, override_name = v.name, override_version = v.version,"
        " label_without = v.label_without, confidence_without = v.confidence_without"
        " FROM (VALUES %s) AS v (run, day, root_id, model_id, label, confidence, decision_id,"
        " name, version, label_without, confidence_without)"
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
                decision,
                *beside,
            )
            for score, beside in zip(scores, overridden, strict=True)
        ],
        template="(%s, %s::date, %s, %s, %s, %s::double precision, %s::text, %s::text, %s::text,"
        " %s::text, %s::double precision)",
        page_size=len(scores),
    )


def _require_fitting(connection: Connection, run: str, target: NamedDecision) -> None:
    decision = target.decision
    with connection, connection.cursor() as cur:
        cur.execute("SELECT labels FROM models WHERE sha256 = %s", (decision.model_sha256,))
        row = cur.fetchone()
    if row is None:
        raise Failure(f"no stored tweet was scored by the model of decision {target.id}")
    if not fits(decision, run=run, model_sha256=decision.model_sha256, labels=row[0]):
        raise Failure(
            f"decision {target.id} was fitted on run {decision.run!r}: it decides no other run"
        )
