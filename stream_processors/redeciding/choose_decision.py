"""Which decision stored tweets are decided by."""

from schemas.decisions import NamedDecision
from schemas.failures import Failure
from schemas.stored_decisions import decision_in_use, find_decision, note_used
from schemas.transport.postgres import Connection


def chosen_decision(connection: Connection, run: str, id_: str | None) -> NamedDecision:
    """Return the decision of this id, or the one that the run uses; note that rows may name it.

    Raises `UnknownDecision`, and `Failure` where the run uses none.
    """
    with connection, connection.cursor() as cur:
        stored = decision_in_use(cur, run) if id_ is None else find_decision(cur, id_)
        if stored is None:
            raise Failure(
                f"run {run!r} uses no decision: name one with --decision, or say --none for the "
                "model's own labels"
            )
        note_used(cur, stored.id)
    return NamedDecision(stored.id, stored.decision)
