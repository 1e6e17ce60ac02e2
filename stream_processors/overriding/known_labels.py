"""Which labels a run's models know, for overrides to name."""

from schemas import known_names
from schemas.failures import Failure
from schemas.transport.postgres import Connection


def labels_of_models(connection: Connection, run: str) -> list[str]:
    """Return every label of the models that scored a run; raise `Failure` where none did."""
    with connection, connection.cursor() as cur:
        labels = sorted(known_names.labels_of_models(cur, run))
    if not labels:
        raise Failure(f"run {run!r} has no scored tweets yet")
    return labels
