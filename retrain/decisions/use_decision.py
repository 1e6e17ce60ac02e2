"""Putting a decision to use and ending its use: in PostgreSQL and on the topic, in one order."""

from datetime import datetime

from schemas.decisions import DecisionChosen
from schemas.setting_views import Cluster
from schemas.stored_decisions import (
    StoredDecision,
    delete_unused,
    find_decision,
    mark_in_use,
)
from schemas.transport.postgres import Connection
from schemas.transport.publish_decision import publish_decision


def use_decision(
    connection: Connection, cluster: Cluster, id_: str, *, now: datetime
) -> StoredDecision:
    """Have scoring decide the tweets of the decision's run by it, from its next window on.

    The commit comes last: killed before it, the command may be given again.
    """
    with connection, connection.cursor() as cur:
        stored = find_decision(cur, id_)
        run = stored.decision.run
        mark_in_use(cur, run, stored.id)
        publish_decision(cluster, run, DecisionChosen(decision=stored.decision, chosen_at=now))
        return find_decision(cur, stored.id)


class DroppedDecision(StoredDecision, frozen=True, kw_only=True):
    """A decision as it was before; `deleted` where no row can name it, so that nothing is kept."""

    deleted: bool


def drop_decision(connection: Connection, cluster: Cluster, id_: str) -> DroppedDecision:
    """End the use of a decision, and forget it where it was never used.

    Rows that name it stay as they are.
    """
    with connection, connection.cursor() as cur:
        stored = find_decision(cur, id_)
        run = stored.decision.run
        if stored.in_use:
            mark_in_use(cur, run, None)
            publish_decision(cluster, run, None)
        return DroppedDecision(
            id=stored.id,
            decision=stored.decision,
            created_at=stored.created_at,
            in_use=stored.in_use,
            used_at=stored.used_at,
            deleted=delete_unused(cur, stored.id),
        )
