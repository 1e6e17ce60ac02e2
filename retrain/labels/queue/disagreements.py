"""The tweets on which the newest challenger and the model that serves disagree."""

from datetime import date

from psycopg2.extensions import cursor

from retrain.labels.queue.draw import Drawn, Part

_FREE = """
SELECT s.root_id FROM shadow_scores AS s
JOIN tweets AS t ON t.run = s.run AND t.day = s.day AND t.root_id = s.root_id
    AND t.version = s.version
WHERE s.run = %(run)s AND s.label <> s.challenger_label
    AND s.challenger_sha256 = (SELECT challenger_sha256 FROM shadow_scores WHERE run = %(run)s
                               ORDER BY scored_at DESC, root_id LIMIT 1)
    AND (%(rule)s IS NULL OR %(rule)s = ANY(s.rules))
    AND s.day BETWEEN %(first_day)s AND %(last_day)s
    AND NOT EXISTS (SELECT FROM labels AS l WHERE l.run = s.run AND l.root_id = s.root_id
        AND l.version = s.version AND NOT l.answer_seen
        AND (l.origin = 'audit' OR (l.origin = 'queue' AND s.drawn_at IS NOT NULL)))
ORDER BY audit_rank(s.root_id), s.root_id LIMIT %(most)s
"""


def draw_disagreements(
    cur: cursor, run: str, count: int, *, rule: str | None, first_day: date, last_day: date
) -> list[Drawn]:
    """Return the disagreements of the lowest ranks that nobody has labelled for this reason.

    They are noted as drawn. Wherever somebody stops, those before are a uniform sample of the
    disagreements, so that each stands for as many as there are for a label.
    """
    cur.execute(
        _FREE,
        {
            "run": run,
            "rule": rule,
            "first_day": first_day,
            "last_day": last_day,
            "most": count,
        },
    )
    roots = [root_id for (root_id,) in cur]
    cur.execute(
        "UPDATE shadow_scores SET drawn_at = now() WHERE run = %s AND root_id = ANY(%s)"
        " AND label <> challenger_label AND drawn_at IS NULL",
        (run, roots),
    )
    return [Drawn(root_id=root_id, part=Part.DISAGREEING) for root_id in roots]
