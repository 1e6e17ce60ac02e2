"""What PostgreSQL holds of an installation and an alert waits for: letters, gaps, audits, jobs."""

from typing import Final

from prometheus_client import CollectorRegistry
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.process import metric_list

_FIGURES: Final = (
    (metric_list.WATCH_DEAD_LETTERS, "SELECT count(*) FROM dead_letters WHERE status = 'new'"),
    (
        metric_list.WATCH_GAPS,
        (
            "SELECT count(*) FROM stream_gaps"
            " WHERE status = 'open' AND to_at > now() - interval '7 days'"
        ),
    ),
    (
        metric_list.WATCH_OLDEST_GAP,
        (
            "SELECT coalesce(extract(epoch FROM now() - min(from_at)), 0) FROM stream_gaps"
            " WHERE status = 'open' AND to_at > now() - interval '7 days'"
        ),
    ),
    (
        metric_list.WATCH_AUDITS,
        (
            "SELECT count(*) FROM labels WHERE run = %(live)s AND origin = 'audit'"
            " AND label IS NOT NULL AND labelled_at > now() - interval '30 days'"
        ),
    ),
    (
        metric_list.WATCH_LAST_AUDIT,
        (
            "SELECT coalesce(extract(epoch FROM max(labelled_at)), 0) FROM labels"
            " WHERE run = %(live)s AND origin = 'audit'"
        ),
    ),
    (
        metric_list.WATCH_MODEL_SINCE,
        "SELECT coalesce(extract(epoch FROM max(first_seen_at)), 0) FROM models",
    ),
    (
        metric_list.WATCH_LAST_JOB_FAILED,
        (
            "SELECT coalesce((SELECT (state = 'failed')::int FROM retrain_jobs"
            " WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, job_no DESC LIMIT 1), 0)"
        ),
    ),
)


class StoredFigures:
    """The figures as they were last read; until then all are 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = [(spec.register(registry), query) for spec, query in _FIGURES]
        self._jobs = metric_list.WATCH_JOBS.register(registry)

    def read(self, cur: cursor) -> None:
        """Read all of them."""
        for gauge, query in self._gauges:
            cur.execute(query, {"live": LIVE})
            ((figure,),) = cur.fetchall()
            gauge.set(float(figure))
        cur.execute("SELECT state, count(*) FROM retrain_jobs GROUP BY state")
        jobs = dict(cur.fetchall())
        for state in metric_list.WATCH_JOBS.labels["state"] or ():
            self._jobs.labels(state).set(jobs.get(state, 0))
