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


def why_nothing(connection: Connection, run: str, target: NamedDecision | None) -> str:
    """Return why no score of a run was decided anew (None: by the models' own labels)."""
    done = "every stored score of these tweets is decided so already"
    if target is None:
        return done
    sha256 = target.decision.model_sha256
    with connection, connection.cursor() as cur:
        cur.execute(
            "SELECT EXISTS (SELECT FROM scores AS s JOIN models AS m USING (model_id)"
            " WHERE s.run = %s AND m.sha256 = %s)",
            (run, sha256),
        )
        ((has_any,),) = cur.fetchall()
    if has_any:
        return done
    return (
        f"decision {target.id} is of model {sha256[:12]}, which scored no tweet of run {run!r}: "
        f"`murmur decisions fit --run {run}` fits one of the model whose scores count"
    )
