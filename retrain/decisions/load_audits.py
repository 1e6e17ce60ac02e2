"""The audits of a run with the probabilities of the model that scored them, and a sample."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import cursor

from retrain.decisions.fit_decision import Texts
from schemas.events import LIVE
from schemas.failures import Failure
from schemas.people_labels import AUDIT_RANKS

SAMPLED_TWEETS: Final = 10_000
"""Shares of labels in a uniform sample of so many are half a point from those of all."""

_AUDITS = """
SELECT a.root_id, a.label, s.probabilities, t.rules, s.model_id, s.scored_at
FROM audits AS a
JOIN tweets AS t ON t.run = a.run AND t.root_id = a.root_id AND t.version = a.version
JOIN scores AS s ON s.run = t.run AND s.root_id = t.root_id AND s.day = t.day AND s.counts
WHERE a.run = %(run)s AND t.run = %(run)s AND s.run = %(run)s
    AND (%(days)s::date[] IS NULL OR (t.day = ANY(%(days)s) AND s.day = ANY(%(days)s)))
ORDER BY a.root_id
"""

_DAYS = """
SELECT DISTINCT day FROM live_roots WHERE root_id IN (SELECT root_id FROM audits WHERE run = %s)
"""

_TWEETS = """
SELECT coalesce(sum(tweets), 0) FROM rollups
WHERE run = %(run)s AND granularity = 'day' AND rule = '' AND model_id = %(model_id)s
    AND bucket_start >= coalesce(
        (SELECT kept_from FROM kept_days WHERE run = %(run)s), '-infinity'::date)
"""

_SAMPLE = """
SELECT s.probabilities, t.rules
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
WHERE t.run = %(run)s AND s.run = %(run)s AND s.model_id = %(model_id)s
    AND audit_rank(t.root_id) < %(below)s
ORDER BY audit_rank(t.root_id), t.root_id LIMIT %(most)s
"""


@dataclass(frozen=True, kw_only=True)
class Audits:
    """The audits of one model's answers, in the order of their root ids.

    `truth` has the columns of people's labels. `of_other_models` and `other_labels` are how many
    audits were left out: scored by another model, or labelled with no label of this one.
    """

    root_ids: list[str]
    texts: Texts
    truth: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    model_id: int
    model_name: str
    model_version: str
    model_sha256: str
    of_other_models: int
    other_labels: int


def load_audits(cur: cursor, run: str) -> Audits:
    """Return the audits of the model that scored one of them last; raise `Failure` without any."""
    days: list[date] | None = None
    if run == LIVE:
        cur.execute(_DAYS, (run,))
        days = [day for (day,) in cur]
    cur.execute(_AUDITS, {"run": run, "days": days})
    rows = cur.fetchall()
    if not rows:
        raise Failure(
            f"run {run!r} has no audits: people's blind labels of a random sample are needed "
            "(`murmur labels annotate`)"
        )
    model_id = _last_model(rows)
    cur.execute("SELECT name, version, sha256, labels FROM models WHERE model_id = %s", (model_id,))
    ((name, version, sha256, label_names),) = cur.fetchall()
    labels = tuple(label_names)
    of_model = [row for row in rows if row[4] == model_id]
    known = [row for row in of_model if row[1] in labels]
    return Audits(
        root_ids=[row[0] for row in known],
        texts=texts_of([(row[2], row[3]) for row in known], labels),
        truth=np.array([labels.index(row[1]) for row in known], dtype=np.int64),
        labels=labels,
        model_id=model_id,
        model_name=name,
        model_version=version,
        model_sha256=sha256,
        of_other_models=len(rows) - len(of_model),
        other_labels=len(of_model) - len(known),
    )


def load_sample(cur: cursor, run: str, audits: Audits) -> Texts:
    """Return a uniform sample of the tweets that the model scored: those of the lowest ranks.

    It is the sample that audits come from, continued; the same data gives the same one, and its
    first tweets are a uniform sample of it.
    """
    about = {"run": run, "model_id": audits.model_id}
    cur.execute(_TWEETS, about)
    ((tweets,),) = cur.fetchall()
    below = min(AUDIT_RANKS, AUDIT_RANKS * SAMPLED_TWEETS // max(1, int(tweets)))
    cur.execute(_SAMPLE, {**about, "below": below, "most": 2 * SAMPLED_TWEETS})
    sample = texts_of(cur.fetchall(), audits.labels)
    return sample if sample.rules else audits.texts


def texts_of(rows: list[tuple[Any, ...]], labels: tuple[str, ...]) -> Texts:
    """Return stored probabilities and rules as a fit sees them."""
    matrix = np.array(
        [[probabilities[label] for label in labels] for probabilities, _ in rows],
        dtype=np.float64,
    ).reshape(len(rows), len(labels))
    return Texts(matrix, [tuple(rules) for _, rules in rows])


def _last_model(rows: list[tuple[Any, ...]]) -> int:
    latest: dict[int, datetime] = {}
    for *_, model_id, scored_at in rows:
        latest[model_id] = max(scored_at, latest.get(model_id, scored_at))
    return max(latest, key=lambda model_id: (latest[model_id], model_id))
