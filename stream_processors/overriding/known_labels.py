"""Which labels a run's models know, for overrides to name."""

from schemas.failures import Failure
from schemas.transport.postgres import Connection


def labels_of_models(connection: Connection, run: str) -> list[str]:
    """Return every label of the models that scored a run; raise `Failure` where none did."""
    with connection, connection.cursor() as cur:
        cur.execute(
            "SELECT DISTINCT unnest(m.labels) FROM models AS m WHERE m.model_id IN"
            " (SELECT DISTINCT model_id FROM rollups WHERE run = %s AND granularity = 'day')"
            " ORDER BY 1",
            (run,),
        )
        labels = [label for (label,) in cur]
    if not labels:
        raise Failure(f"run {run!r} has no scored tweets yet")
    return labels
