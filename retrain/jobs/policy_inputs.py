"""What the policy decides on, read from PostgreSQL at one moment."""

from datetime import datetime
from typing import Any, Final

from retrain.jobs.job_store import live_job
from retrain.jobs.policy import PolicyInputs, PolicySettings
from schemas.people_labels import LabelOrigin
from schemas.setting_views import RetrainingSettings
from schemas.transport.postgres import Connection

_ERROR_SIGNAL: Final = "audited_error"

_ALARMS = """
SELECT alarm_id, signal FROM alarms
WHERE run = %(run)s AND kind = 'model' AND ended_at IS NULL AND compared_with = 'stream'
ORDER BY alarm_id
"""
_LABELS = """
SELECT origin, sum(found)::bigint FROM (
    SELECT origin, count(DISTINCT (root_id, version)) AS found FROM labels
    WHERE run = %(run)s AND label IS NOT NULL AND repeat = 0
        AND coalesce(stored_at, labelled_at) > %(since)s
    GROUP BY origin
    UNION ALL
    SELECT 'correction', count(*) FROM text_labels WHERE labelled_at > %(since)s HAVING count(*) > 0
) AS counted GROUP BY origin
"""
_LAST_JOB = """
SELECT max(coalesce(started_at, created_at)) FROM retrain_jobs
WHERE run = %(run)s AND state <> ALL(%(without)s)
"""
_TWEETS = """
SELECT coalesce(sum(tweets), 0)::bigint FROM rollups
WHERE run = %(run)s AND granularity = 'hour' AND rule = '' AND bucket_start >= %(since)s
"""
_CONFIDENCE = """
SELECT sum(confidence_micros) / nullif(sum(tweets), 0) / 1e6 FROM rollups
WHERE run = %(run)s AND granularity = 'hour' AND rule = '' AND bucket_start > (
    SELECT max(bucket_start) - interval '1 day' FROM rollups
    WHERE run = %(run)s AND granularity = 'hour' AND rule = ''
)
"""
_MODEL_SINCE = """
WITH champions AS (
    SELECT promotion_no, promoted_at, event -> 'models' -> 0 ->> 'sha256' AS sha256
    FROM promotions
), present AS (SELECT sha256 FROM champions ORDER BY promotion_no DESC LIMIT 1)
SELECT min(promoted_at) FROM champions
WHERE promotion_no > coalesce((
    SELECT max(promotion_no) FROM champions WHERE sha256 <> (SELECT sha256 FROM present)
), 0)
"""


def policy_settings(settings: RetrainingSettings) -> PolicySettings:
    """Return the thresholds."""
    return PolicySettings(
        on_drift=settings.on_drift,
        on_error=settings.on_error,
        least_confidence=settings.least_confidence,
        new_tweets=settings.new_tweets,
        oldest_model=settings.oldest_model,
        least_new_labels=settings.least_new_labels,
        cooldown=settings.cooldown,
    )


def read_policy_inputs(connection: Connection, run: str, *, forced: bool) -> PolicyInputs:
    """Return what is known of a run now, by PostgreSQL's clock.

    New labels and tweets are those since the last training of the run began that was not cancelled
    and did not fail: nothing has learned from what such a one was given. Labels count by when they
    came in, tweets by when they were posted. The model's age is counted from when the champion
    took over: a split of the stream, and its end, leave that as it is.
    """
    job = live_job(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        now: datetime = _one(cursor, "SELECT now()")
        last_job_at = _one(cursor, _LAST_JOB, run=run, without=["cancelled"])
        learned_at = _one(cursor, _LAST_JOB, run=run, without=["cancelled", "failed"])
        about = {"run": run, "since": learned_at or "-infinity"}
        cursor.execute(_ALARMS, about)
        alarms = cursor.fetchall()
        cursor.execute(_LABELS, about)
        labels = {LabelOrigin(origin): count for origin, count in cursor}
        confidence = _one(cursor, _CONFIDENCE, **about)
        return PolicyInputs(
            now=now,
            drift_alarms=tuple(id_ for id_, signal in alarms if signal != _ERROR_SIGNAL),
            error_alarms=tuple(id_ for id_, signal in alarms if signal == _ERROR_SIGNAL),
            new_labels=labels,
            new_tweets=_one(cursor, _TWEETS, **about),
            model_since=_one(cursor, _MODEL_SINCE),
            mean_confidence=None if confidence is None else float(confidence),
            last_job_at=last_job_at,
            live_job=None if job is None else str(job.number),
            forced=forced,
        )


def _one(cursor: Any, statement: str, **values: object) -> Any:
    cursor.execute(statement, values)
    return cursor.fetchall()[0][0]
