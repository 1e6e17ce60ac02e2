"""What PostgreSQL knows of the promoted model and of the one before it."""

from datetime import datetime, timedelta
from typing import Final

from psycopg2.extensions import cursor

from model_server.split import CHALLENGER, CHAMPION
from retrain.comparison.load_pairs import load_comparison
from retrain.comparison.paired import ALL_RULES
from retrain.evaluation.bootstrap import Figure
from retrain.promotion.promotions import Promotion, promotions
from retrain.rollback.rollback_policy import ModelWindow, RollbackEvidence
from schemas.codec import Reason
from schemas.events import LIVE
from schemas.failures import NotThere
from schemas.transport.postgres import Connection

_DAYS_OF_LIVE: Final = timedelta(days=2)
# What was received before is scored anew by `murmur rescore`, which says nothing of the stream.
_ANSWERS: Final = """
SELECT count(*), percentile_disc(.95) WITHIN GROUP
    (ORDER BY extract(epoch FROM s.scored_at - t.received_at)::double precision)
FROM scores AS s JOIN models AS m USING (model_id)
JOIN tweets AS t ON t.run = s.run AND t.day = s.day AND t.root_id = s.root_id
WHERE s.run = %(run)s AND t.run = %(run)s AND m.sha256 = %(sha256)s
    AND t.received_at >= %(since)s
    AND s.scored_at >= %(since)s AND s.scored_at < %(until)s
    AND (%(first_day)s IS NULL OR s.day >= %(first_day)s)
    AND (%(arm)s IS NULL OR s.arm = %(arm)s)
"""
# A decision is of one model alone, an override of none: models are compared by what they say.
_LABELS: Final = """
SELECT CASE WHEN s.decision_id IS NULL AND s.override_name IS NULL THEN s.label ELSE
    (SELECT p.key FROM jsonb_each(s.probabilities) AS p ORDER BY p.value DESC LIMIT 1) END,
    count(*)
FROM scores AS s JOIN models AS m USING (model_id)
JOIN tweets AS t ON t.run = s.run AND t.day = s.day AND t.root_id = s.root_id
WHERE s.run = %(run)s AND t.run = %(run)s AND m.sha256 = %(sha256)s
    AND t.received_at >= %(since)s
    AND s.scored_at >= %(since)s AND s.scored_at < %(until)s
    AND (%(first_day)s IS NULL OR s.day >= %(first_day)s)
    AND (%(arm)s IS NULL OR s.arm = %(arm)s)
GROUP BY 1
"""
_LETTERS: Final = """
SELECT count(*) FILTER (WHERE reason = %(failed)s), count(*) FROM dead_letters
WHERE (run = %(run)s OR run IS NULL) AND stage = 'score'
    AND first_seen_at >= %(since)s AND first_seen_at < %(until)s
"""


def read_evidence(
    connection: Connection, run: str, *, now: datetime, watched_for: timedelta, hold: timedelta
) -> RollbackEvidence | None:
    """Return what is known at this moment; None where nothing was promoted."""
    history = promotions(connection)
    if not history:
        return None
    last = history[0].event
    shared = len(last.models) > 1
    suspect = last.models[-1]
    before = last.champion.sha256 if shared else _served_before(history)
    predicted = _predicted(connection, run, suspect.sha256)
    with connection, connection.cursor() as cur:
        model = _window(
            cur,
            run,
            suspect.sha256,
            since=last.promoted_at,
            until=now,
            arm=CHALLENGER if shared else None,
        )
        span = min(watched_for, max(now - last.promoted_at, timedelta(hours=1)))
        earlier = None
        if before is not None:
            earlier = _window(
                cur,
                run,
                before,
                since=last.promoted_at if shared else last.promoted_at - span,
                until=now if shared else last.promoted_at,
                arm=CHAMPION if shared else None,
            )
        cur.execute("SELECT max(decided_at) FROM rollback_decisions WHERE rolls_back")
        ((last_rollback,),) = cur.fetchall()
    return RollbackEvidence(
        now=now,
        promotion_id=last.promotion_id,
        promoted_at=last.promoted_at,
        undoes=bool(last.undoes),
        model=model,
        before=earlier,
        predicted=predicted,
        held_until=None if last_rollback is None else last_rollback + hold,
    )


def _served_before(history: list[Promotion]) -> str | None:
    """Return the champion that the last promotion replaced; None where it stayed."""
    replaced = [each.event.champion.sha256 for each in history[1:2]]
    return next((sha256 for sha256 in replaced if sha256 != history[0].event.champion.sha256), None)


def _window(
    cur: cursor, run: str, sha256: str, *, since: datetime, until: datetime, arm: str | None
) -> ModelWindow:
    values = {
        "run": run,
        "sha256": sha256,
        "since": since,
        "until": until,
        "first_day": (since - _DAYS_OF_LIVE).date() if run == LIVE else None,
        "arm": arm,
        "failed": Reason.SCORING_FAILED.value,
    }
    cur.execute(_ANSWERS, values)
    ((tweets, age_p95_s),) = cur.fetchall()
    cur.execute(_LABELS, values)
    by_label = dict(cur.fetchall())
    failed = letters = 0
    if arm is None:
        # A dead letter does not say which of two models it was that gave it up.
        cur.execute(_LETTERS, values)
        ((failed, letters),) = cur.fetchall()
    return ModelWindow(
        sha256=sha256,
        tweets=tweets,
        failed=failed,
        dead_letters=letters,
        age_p95_s=age_p95_s,
        by_label=by_label,
    )


def _predicted(connection: Connection, run: str, sha256: str) -> dict[str, Figure]:
    """Return how much each label's share changes by the shadow; nothing where there was none."""
    try:
        shadow = load_comparison(connection, run, challenger=sha256)
    except NotThere:
        return {}
    return {each.label: each.change for each in shadow.shares if each.rule == ALL_RULES}
