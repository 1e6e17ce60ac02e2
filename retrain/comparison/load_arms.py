"""The scores of two arms, as the comparison wants them."""

from datetime import datetime
from typing import Final

from model_server.split import CHALLENGER, CHAMPION
from retrain.comparison.arms import ArmAudits, ArmCounts, ArmsComparison, compare_arms
from schemas.failures import NotThere
from schemas.transport.postgres import Connection

_MOST_RULES: Final = 50
_ARMS: Final = (CHAMPION, CHALLENGER)
_NEWEST: Final = """
SELECT DISTINCT ON (s.arm) s.arm, s.model_id, m.sha256, m.name || ' ' || m.version
FROM scores AS s JOIN models AS m USING (model_id)
WHERE s.run = %s AND s.counts AND s.arm = ANY(%s) ORDER BY s.arm, s.scored_at DESC
"""
# A decision belongs to one model: here both are compared by what they say themselves.
_OWN: Final = """
WITH own AS MATERIALIZED (
    SELECT s.arm, s.root_id, s.version, t.rules, CASE
        WHEN s.decision_id IS NULL AND s.override_name IS NULL THEN s.label ELSE
        (SELECT p.key FROM jsonb_each(s.probabilities) AS p ORDER BY p.value DESC LIMIT 1) END
        AS label, CASE
        WHEN s.decision_id IS NULL AND s.override_name IS NULL THEN s.confidence ELSE
        (SELECT max(p.value::double precision) FROM jsonb_each(s.probabilities) AS p) END
        AS confidence
    FROM scores AS s JOIN tweets AS t
        ON t.run = s.run AND t.day = s.day AND t.root_id = s.root_id
    WHERE s.run = %(run)s AND t.run = %(run)s AND s.counts AND t.retweet_of IS NULL
        AND (s.arm, s.model_id) IN ((%(champion)s, %(champion_id)s),
                                    (%(challenger)s, %(challenger_id)s))
        AND (%(since)s IS NULL OR t.posted_at >= %(since)s)
        AND (%(until)s IS NULL OR t.posted_at < %(until)s)
)
"""
_COUNTS: Final = f"""
{_OWN}, busiest AS (
    SELECT rule FROM own CROSS JOIN unnest(rules) AS rule
    GROUP BY rule ORDER BY count(*) DESC, rule LIMIT {_MOST_RULES}
), placed AS (
    SELECT arm, '' AS rule, label, confidence FROM own UNION ALL
    SELECT arm, rule, label, confidence FROM own CROSS JOIN unnest(rules) AS rule
    WHERE rule IN (SELECT rule FROM busiest)
)
SELECT arm, rule, label, count(*), sum(confidence), sum(confidence ^ 2)
FROM placed GROUP BY arm, rule, label
"""  # noqa: S608  constants
_AUDITS: Final = f"""
{_OWN}
SELECT own.arm, count(*), count(*) FILTER (WHERE own.label = a.label)
FROM own JOIN audits AS a
    ON a.run = %(run)s AND a.root_id = own.root_id AND a.version = own.version
GROUP BY own.arm
"""  # noqa: S608  constants


def load_arms(
    connection: Connection,
    run: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ArmsComparison:
    """Compare the models that scored last in the two arms of a run; `NotThere` without both."""
    with connection, connection.cursor() as cur:
        cur.execute(_NEWEST, (run, list(_ARMS)))
        found = {arm: (model_id, sha256, name) for arm, model_id, sha256, name in cur}
        if set(found) != set(_ARMS):
            raise NotThere(
                f"no two models share run {run!r}: `murmur models promote BUNDLE --weight 0.1`"
                " gives a challenger some of its tweets"
            )
        values = {
            "run": run,
            "champion": CHAMPION,
            "champion_id": found[CHAMPION][0],
            "challenger": CHALLENGER,
            "challenger_id": found[CHALLENGER][0],
            "since": since,
            "until": until,
        }
        cur.execute(_COUNTS, values)
        counts = [ArmCounts(*row) for row in cur]
        cur.execute(_AUDITS, values)
        audits = [ArmAudits(*row) for row in cur]
    return compare_arms(
        run,
        {arm: (sha256, name) for arm, (_, sha256, name) in found.items()},
        counts,
        audits,
        arms=_ARMS,
    )
