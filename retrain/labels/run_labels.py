"""Which labels a run's tweets may get: those of the models that scored it."""

from collections import Counter

from psycopg2.extensions import cursor

from schemas.failures import Failure
from schemas.known_names import labels_of_models


def labels_of_run(cur: cursor, run: str) -> tuple[str, ...]:
    """Return the labels in the newest model's order, then those that older models had besides.

    Raises `Failure` where no tweet of the run was scored yet.
    """
    labels = labels_of_models(cur, run)
    if not labels:
        raise Failure(f"run {run!r} has no scored tweets yet: wait until `murmur status` is done")
    return labels


def audits_by_label(cur: cursor, run: str) -> Counter[str]:
    """Return how many audits a run has by their label."""
    cur.execute("SELECT label, count(*) FROM audits WHERE run = %s GROUP BY label", (run,))
    return Counter(dict(cur.fetchall()))
