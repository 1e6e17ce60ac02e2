"""What `murmur shadow` has stored, as the comparison wants it."""

from datetime import datetime
from typing import Final

from psycopg2.extensions import cursor

from retrain.comparison.paired import (
    ConfidenceSums,
    LabelledFlip,
    PairCounts,
    PairedComparison,
    compare_pairs,
)
from schemas.failures import NotThere
from schemas.transport.postgres import Connection

_MOST_RULES: Final = 50
_CHOSEN: Final = """
    s.run = %(run)s AND s.challenger_sha256 = %(challenger)s AND s.model_sha256 = %(model)s
    AND (%(since)s IS NULL OR s.posted_at >= %(since)s)
    AND (%(until)s IS NULL OR s.posted_at < %(until)s)
"""
_NEWEST: Final = """
SELECT challenger_sha256, challenger_name, model_sha256 FROM shadow_scores
WHERE run = %s AND starts_with(challenger_sha256, %s) ORDER BY scored_at DESC, root_id LIMIT 1
"""
_PAIRS: Final = f"""
SELECT '' AS rule, label, challenger_label, count(*), sum(confidence),
       sum(challenger_confidence), sum(challenger_confidence - confidence),
       sum((challenger_confidence - confidence) ^ 2)
FROM shadow_scores AS s WHERE {_CHOSEN} GROUP BY label, challenger_label
"""  # noqa: S608  constants
_BY_RULE: Final = f"""
WITH busiest AS (
    SELECT rule FROM shadow_scores AS s CROSS JOIN unnest(rules) AS rule WHERE {_CHOSEN}
    GROUP BY rule ORDER BY count(*) DESC, rule LIMIT {_MOST_RULES}
)
SELECT rule, label, challenger_label, count(*)
FROM shadow_scores AS s CROSS JOIN unnest(rules) AS rule JOIN busiest USING (rule)
WHERE {_CHOSEN} GROUP BY rule, label, challenger_label
"""  # noqa: S608  constants
_LABELLED: Final = f"""
SELECT s.label, s.challenger_label, y.label
FROM shadow_scores AS s JOIN LATERAL (
    SELECT l.label, count(*) AS votes, sum(count(*)) OVER () AS all_votes FROM labels AS l
    WHERE l.run = s.run AND l.root_id = s.root_id AND l.version = s.version AND l.repeat = 0
        AND NOT l.answer_seen AND l.label IS NOT NULL
        AND (l.origin = 'audit' OR (l.origin = 'queue' AND s.drawn_at IS NOT NULL))
    GROUP BY l.label
) AS y ON y.votes * 2 > y.all_votes
WHERE {_CHOSEN} AND s.label <> s.challenger_label
"""  # noqa: S608  constants


def load_comparison(
    connection: Connection,
    run: str,
    *,
    challenger: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> PairedComparison:
    """Compare the newest challenger of a run with the model that served last beside it.

    `challenger` is the beginning of a hash, for another one. Raises `NotThere` where there is
    nothing.
    """
    with connection, connection.cursor() as cur:
        cur.execute(_NEWEST, (run, challenger))
        newest = cur.fetchall()
        if not newest:
            raise NotThere(
                f"no challenger has scored tweets of run {run!r}: set MURMUR_SHADOW_MODEL and start"
                " `murmur shadow`"
            )
        sha256, name, model = newest[0]
        values = {
            "run": run,
            "challenger": sha256,
            "model": model,
            "since": since,
            "until": until,
        }
        counts, confidence = _counts(cur, values)
        cur.execute(_LABELLED, values)
        return compare_pairs(
            run=run,
            model_sha256=model,
            challenger_sha256=sha256,
            challenger=name,
            counts=counts,
            confidence=confidence,
            labelled=[LabelledFlip(*row) for row in cur],
        )


def _counts(cur: cursor, values: dict[str, object]) -> tuple[list[PairCounts], ConfidenceSums]:
    cur.execute(_PAIRS, values)
    counts: list[PairCounts] = []
    sums = [0.0] * 4
    for rule, label, challenger_label, tweets, *row_sums in cur:
        counts.append(PairCounts(rule, label, challenger_label, tweets))
        sums = [one + other for one, other in zip(sums, row_sums, strict=True)]
    cur.execute(_BY_RULE, values)
    counts.extend(PairCounts(*row) for row in cur)
    return counts, ConfidenceSums(*sums)
