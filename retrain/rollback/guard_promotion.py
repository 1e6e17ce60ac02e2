"""One look at the last promotion: decide, store the decision, and take the promotion back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.promotion.promote import roll_back
from retrain.promotion.promotions import PromotionRefused
from retrain.rollback.read_evidence import read_evidence
from retrain.rollback.rollback_policy import (
    RollbackDecision,
    RollbackEvidence,
    RollbackLimits,
    decide_rollback,
)
from schemas.events import LIVE
from schemas.transport.postgres import Connection


class Guarded(Struct, frozen=True, kw_only=True):
    """A decision on the last promotion; `went_back_to` is the hash of the model that serves now."""

    promotion_id: str
    decision: RollbackDecision
    went_back_to: str | None


def guard_promotion(
    connection: Connection,
    limits: RollbackLimits,
    *,
    run: str = LIVE,
    now: Callable[[], datetime],
) -> Guarded | None:
    """Decide on the last promotion and take it back where it does harm; None: there is none.

    A decision is stored with all that it rests on, of equal ones in a row the first. A rollback and
    its decision are stored together, so that its hold begins with it. The topic is told by
    `publish_waiting`. Where somebody promotes in the same moment, that stands.
    """
    evidence = read_evidence(
        connection, run, now=now(), watched_for=limits.watched_for, hold=limits.hold
    )
    if evidence is None:
        return None
    decision = decide_rollback(evidence, limits)
    if decision.rolls_back:
        try:
            event = roll_back(
                connection,
                to=None,
                because=f"rolled back by itself: {decision.sentence}",
                now=now(),
                only=evidence.promotion_id,
                beside=partial(_record, evidence=evidence, limits=limits, decision=decision),
            )
        except PromotionRefused as error:
            decision = RollbackDecision(
                rolls_back=False,
                reasons=decision.reasons,
                sentence=f"{decision.sentence}; not taken back: {error}",
            )
        else:
            return Guarded(
                promotion_id=evidence.promotion_id,
                decision=decision,
                went_back_to=event.champion.sha256,
            )
    with connection, connection.cursor() as cur:
        _record(cur, evidence, limits, decision)
    return Guarded(promotion_id=evidence.promotion_id, decision=decision, went_back_to=None)


def held_until(connection: Connection, hold: timedelta) -> datetime | None:
    """Return until when no model is promoted by itself: the hold after the last rollback."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT max(decided_at) FROM rollback_decisions WHERE rolls_back")
        ((last,),) = cur.fetchall()
    return None if last is None else last + hold


def _record(
    cur: cursor,
    evidence: RollbackEvidence,
    limits: RollbackLimits,
    decision: RollbackDecision,
) -> None:
    cur.execute(
        "SELECT promotion_id, rolls_back, reasons, CASE WHEN reasons = '{}' THEN sentence END"
        " FROM rollback_decisions ORDER BY decision_no DESC LIMIT 1"
    )
    # Its figures differ at each look; what is decided, and why, does not.
    plain = None if decision.reasons else decision.sentence
    reasons = [reason.value for reason in decision.reasons]
    if cur.fetchall() == [(evidence.promotion_id, decision.rolls_back, reasons, plain)]:
        return
    cur.execute(
        "INSERT INTO rollback_decisions (decided_at, promotion_id, rolls_back, reasons,"
        " sentence, evidence, limits) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            evidence.now,
            evidence.promotion_id,
            decision.rolls_back,
            reasons,
            decision.sentence,
            msgspec.json.encode(evidence).decode(),
            msgspec.json.encode(limits).decode(),
        ),
    )
