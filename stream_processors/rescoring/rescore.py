"""Scoring a run's stored tweets anew, batch by batch, beside the stream.

A batch is read and scored first, in no transaction: the model takes its time. Then one transaction
checks that nothing has changed meanwhile, stores the scores, and moves which score counts with the
rollups. What counts by the model already is not read again: a run that was killed is gone on with,
and one that is repeated changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from model_server.overrides.apply_override import apply_override
from model_server.overrides.followed_overrides import no_overrides
from model_server.overrides.override import Overrides
from model_server.scorer import Prediction
from schemas import locks
from schemas.events import AppliedOverride, ModelIdentity
from schemas.run_changes import touch_runs
from schemas.stored_decisions import named_in_use
from schemas.transport.postgres import Connection
from stream_processors.redeciding.stored_scores import OF_DAY, StoredScore, days_of
from stream_processors.retention.prune_limit import kept_from
from stream_processors.sink.rollups import deltas
from stream_processors.sink.rows import LONGEST_LANGUAGE
from stream_processors.sink.write_rows import move_rollups, override_columns

TWEETS_AT_ONCE: Final = 256

_MODEL = """
INSERT INTO models (sha256, name, version, cleaning, labels) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256 RETURNING model_id
"""

_TEXTS = """
SELECT t.day, t.root_id, t.version, t.text, t.language, t.rules,
       stored.label, stored.confidence, stored.language_known
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
LEFT JOIN scores AS stored ON stored.root_id = t.root_id AND stored.run = t.run
    AND stored.day = t.day AND stored.model_id = %(model_id)s AND stored.version = t.version
WHERE t.run = %(run)s AND s.run = %(run)s AND t.root_id > %(after)s
    AND t.posted_at >= %(first)s AND t.posted_at < %(until)s AND s.model_id <> %(model_id)s
    {day}
ORDER BY t.root_id
LIMIT %(most)s
"""

# Locked in the order in which sinks lock, so that nobody waits in a ring.
_COUNTING = """
SELECT t.day, t.root_id, t.version, t.posted_at, t.rules, t.hashtags, t.language,
       s.label, s.confidence, s.model_id, s.language_known
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
WHERE t.run = %(run)s AND s.run = %(run)s AND t.root_id = ANY(%(roots)s)
    AND t.day = ANY(%(days)s) AND s.day = ANY(%(days)s) AND s.model_id <> %(model_id)s
ORDER BY t.run, t.root_id
FOR UPDATE OF t, s
"""

_STORED = """
SELECT root_id, version, label, confidence, language_known FROM scores
WHERE run = %(run)s AND day = ANY(%(days)s) AND root_id = ANY(%(roots)s)
    AND model_id = %(model_id)s
"""


class Model(Protocol):
    """What scores: `model_server.scorer.Scorer`."""

    identity: ModelIdentity

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a prediction may have."""
        ...

    def knows(self, language: str | None) -> bool | None:
        """Tell whether the model was made for a language; None where that cannot be told."""
        ...

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction for each text, in order."""
        ...


class Rescored(Struct, frozen=True, kw_only=True):
    """How many tweets count by the model now, and how many of them got another label.

    `scored` of them were asked of the model; of the others it had scored this version before.
    `note` says what became of the decision that the run uses, where it uses one.
    """

    run: str
    model: ModelIdentity
    tweets: int = 0
    scored: int = 0
    other_labels: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the model says of one version of a tweet; no probabilities: it is stored already."""

    day: date
    root_id: str
    version: int
    label: str
    confidence: float
    language_known: bool | None
    probabilities: dict[str, float] | None
    override: AppliedOverride | None = None


def rescore(
    connection: Connection,
    run: str,
    model: Model,
    *,
    first: datetime,
    until: datetime,
    now: Callable[[], datetime],
    paced: Callable[[int], None] = lambda _: None,
    tweets_at_once: int = TWEETS_AT_ONCE,
    overrides: Callable[[], Overrides | None] = no_overrides,
) -> Rescored:
    """Have tweets posted from `first` to before `until` count by this model's score.

    Scores of other models stay beside it; scored by an earlier model again, a run is back where it
    was. `paced` is told of each batch by the number of its tweets, and may wait. Days of `live`
    that were pruned keep their figures. Tweets that come meanwhile count by what scoring uses.
    `overrides` is asked before each batch.
    """
    report = Rescored(run=run, model=model.identity)
    with connection, connection.cursor() as cur:
        identity = model.identity
        cur.execute(
            _MODEL,
            (
                identity.sha256,
                identity.name,
                identity.version,
                identity.cleaning,
                list(model.labels),
            ),
        )
        model_id = cur.fetchall()[0][0]
    for day in days_of(connection, run, first, until):
        after = ""
        while True:
            asked = {
                "run": run,
                "day": day,
                "after": after,
                "first": first,
                "until": until,
                "model_id": model_id,
                "most": tweets_at_once,
            }
            answers = _answers(connection, model, overrides(), asked)
            if not answers:
                break
            with connection, connection.cursor() as cur:
                before, counting = _batch(cur, run, day, model_id, answers, now())
            after = answers[-1].root_id
            report = msgspec.structs.replace(
                report,
                tweets=report.tweets + len(counting),
                scored=report.scored + sum(each.probabilities is not None for each in answers),
                other_labels=report.other_labels
                + sum(old.label != new.label for old, new in zip(before, counting, strict=True)),
            )
            paced(len(answers))
    return msgspec.structs.replace(report, note=_of_decision(connection, report))


def _of_decision(connection: Connection, report: Rescored) -> str:
    """Return what a person has to know of the decision in use: new scores are not decided."""
    run, model = report.run, report.model
    with connection, connection.cursor() as cur:
        in_use = named_in_use(cur, run)
    if in_use is None:
        return ""
    id_, sha256 = in_use
    if sha256 == model.sha256 and not report.scored:
        # The scores that it gave before have kept what decided them.
        return ""
    if sha256 == model.sha256:
        return (
            f"decision {id_} is of this model and does not follow by itself: "
            f"`murmur decisions apply --run {run}` has it decide these tweets"
        )
    return (
        f"decision {id_}, which the run uses, is of another model ({sha256[:12]}) and does not "
        f"follow: `murmur decisions fit --run {run}` fits one of this model"
    )


def _answers(
    connection: Connection, model: Model, overrides: Overrides | None, asked: dict[str, Any]
) -> list[_Answer]:
    """Read a batch and ask the model for what it has not scored yet."""
    with connection, connection.cursor() as cur:
        cur.execute(_TEXTS.format(day=OF_DAY if asked["day"] is not None else ""), asked)
        rows = cur.fetchall()
    new = [row for row in rows if row[6] is None]
    predictions = iter(model.predict([row[3] for row in new]) if new else [])
    answers = []
    for day, root_id, version, text, language, rules, label, confidence, language_known in rows:
        if label is None:
            given = next(predictions)
            known, probabilities = model.knows(language), given.probabilities
            counting = apply_override(
                overrides,
                text,
                language,
                rules,
                label=given.label,
                confidence=given.confidence,
                probabilities=probabilities,
            )
            answers.append(
                _Answer(
                    day,
                    root_id,
                    version,
                    counting.label,
                    counting.confidence,
                    known,
                    probabilities,
                    counting.override,
                )
            )
        else:
            answers.append(_Answer(day, root_id, version, label, confidence, language_known, None))
    return answers


def _batch(
    cur: cursor,
    run: str,
    day: date | None,
    model_id: int,
    answers: list[_Answer],
    scored_at: datetime,
) -> tuple[list[StoredScore], list[StoredScore]]:
    """Store a batch; return the scores that counted, and those that count now."""
    # Shared with the sinks; whoever removes tweets or a run is alone.
    cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (locks.REMOVALS,))
    # Checked under the lock: the figures of a pruned day are final.
    if day is not None and day < kept_from(cur):
        return [], []
    by_version = {(each.root_id, each.version): each for each in answers}
    asked = {
        "run": run,
        "roots": [each.root_id for each in answers],
        "days": sorted({each.day for each in answers}),
        "model_id": model_id,
    }
    cur.execute(_COUNTING, asked)
    found = cur.fetchall()
    # What was stored before may have been decided or overridden anew until the tweets were locked.
    cur.execute(_STORED, asked)
    for root_id, version, label, confidence, known in cur:
        answer = by_version.get((root_id, version))
        if answer is not None and answer.probabilities is None:
            by_version[root_id, version] = replace(
                answer, label=label, confidence=confidence, language_known=known
            )
    before: list[StoredScore] = []
    counting: list[StoredScore] = []
    chosen: list[_Answer] = []
    for tweet_day, root_id, version, posted_at, rules, hashtags, language, *score in found:
        answer = by_version.get((root_id, version))
        if answer is None:
            continue  # it was edited meanwhile: the next batch or command has it
        label, confidence, old_model, known = score
        old = StoredScore(
            run,
            tweet_day,
            root_id,
            posted_at,
            tuple(rules),
            tuple(hashtags),
            label,
            confidence,
            old_model,
            True,
            language[:LONGEST_LANGUAGE] if known is False and language else None,
        )
        before.append(old)
        chosen.append(answer)
        counting.append(
            replace(
                old,
                label=answer.label,
                confidence=answer.confidence,
                model_id=model_id,
                unknown_language=language[:LONGEST_LANGUAGE]
                if answer.language_known is False and language
                else None,
            )
        )
    if counting:
        _write(cur, run, model_id, before, chosen, scored_at)
        move_rollups(cur, deltas(before, counting))
        touch_runs(cur, [run])
    return before, counting


def _write(
    cur: cursor,
    run: str,
    model_id: int,
    before: list[StoredScore],
    chosen: list[_Answer],
    scored_at: datetime,
) -> None:
    _set_counting(cur, [(run, old.day, old.root_id, old.model_id, False) for old in before])
    stored = [each for each in chosen if each.probabilities is None]
    _set_counting(cur, [(run, each.day, each.root_id, model_id, True) for each in stored])
    new = [each for each in chosen if each.probabilities is not None]
    if new:
        # A score of an older version may stand in the place.
        execute_values(
            cur,
            "INSERT INTO scores (run, day, root_id, model_id, version, counts, label, confidence,"
            " probabilities, scored_at, language_known, override_name, override_version,"
            " label_without, confidence_without) VALUES %s"
            " ON CONFLICT (root_id, model_id, run, day) DO UPDATE SET"
            " version = excluded.version, counts = true, label = excluded.label,"
            " confidence = excluded.confidence, probabilities = excluded.probabilities,"
            " scored_at = excluded.scored_at, language_known = excluded.language_known,"
            " decision_id = NULL, override_name = excluded.override_name,"
            " override_version = excluded.override_version, label_without = excluded.label_without,"
            " confidence_without = excluded.confidence_without",
            [
                (
                    run,
                    each.day,
                    each.root_id,
                    model_id,
                    each.version,
                    True,
                    each.label,
                    each.confidence,
                    msgspec.json.encode(each.probabilities).decode(),
                    scored_at,
                    each.language_known,
                    *override_columns(each.override),
                )
                for each in new
            ],
            page_size=len(new),
        )


def _set_counting(cur: cursor, scores: list[tuple[str, date, str, int, bool]]) -> None:
    if scores:
        execute_values(
            cur,
            "UPDATE scores AS s SET counts = v.counts"
            " FROM (VALUES %s) AS v (run, day, root_id, model_id, counts)"
            " WHERE s.run = v.run AND s.day = v.day AND s.root_id = v.root_id"
            " AND s.model_id = v.model_id",
            scores,
            template="(%s, %s::date, %s, %s, %s)",
            page_size=len(scores),
        )
