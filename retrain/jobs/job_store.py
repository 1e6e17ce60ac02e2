"""Training jobs in PostgreSQL: one that is not over at any time, held by a lease.

A process that works on a job renews its lease; where it was killed or its machine is gone, the
lease ends and another process takes the job up at the stage where it stood. All times are those of
PostgreSQL's clock. A process that has lost its lease can change nothing any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from psycopg2.errors import UniqueViolation

from retrain.jobs.policy import PolicyDecision, PolicyInputs, PolicySettings
from schemas.failures import Failure, NotThere
from schemas.transport.postgres import Connection

MOST_ATTEMPTS: Final = 5
"""A job that ended so many processes is a failure: it would end the next one too."""

_COLUMNS: Final = (
    "job_no, run, state, stage, holder, attempts, detail, spec, cancel_asked, created_at,"
    " started_at, ended_at"
)

_FREE: Final = "(state = 'queued' OR (state = 'running' AND lease_until < now()))"
"""Nobody works on it: it waits, or its holder is gone."""


class JobState(StrEnum):
    """Where a job stands. `refused`: its model did not pass the gate."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES: Final = frozenset({JobState.QUEUED, JobState.RUNNING})


class Job(Struct, frozen=True, kw_only=True):
    """A job as it is stored; `stage` is the one that it is in, or was in at its end."""

    number: int
    run: str
    state: JobState
    stage: str | None
    holder: str | None
    attempts: int
    detail: str
    spec: dict[str, Any]
    cancel_asked: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class JobIsLive(Failure):
    """There is a job that is not over: a second one does not begin beside it."""


class LeaseLost(Failure):
    """Another process has the job now, or it is over: whoever held it must stop at once."""


class StageOutput(Struct, frozen=True, kw_only=True):
    """What a stage gave, and the hash of what it was given."""

    inputs_sha256: str
    output: dict[str, Any]


def record_decision(
    connection: Connection,
    inputs: PolicyInputs,
    settings: PolicySettings,
    decision: PolicyDecision,
) -> int:
    """Store a decision with all that it rests on, and return its number.

    One that says the same as the last one is not stored again.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT decision_no, sentence, fires FROM retrain_decisions"
            " ORDER BY decision_no DESC LIMIT 1"
        )
        for number, sentence, fired in cursor.fetchall():
            if (sentence, fired) == (decision.sentence, decision.fires) and not decision.fires:
                return int(number)
        cursor.execute(
            "INSERT INTO retrain_decisions (fires, sentence, inputs, settings, decision)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING decision_no",
            (
                decision.fires,
                decision.sentence,
                *(msgspec.json.encode(each).decode() for each in (inputs, settings, decision)),
            ),
        )
        return int(cursor.fetchall()[0][0])


def create_job(
    connection: Connection, *, run: str, spec: Mapping[str, Any], decision: int | None
) -> int:
    """Store a job that waits to be taken up, and return its number; raise `JobIsLive`."""
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO retrain_jobs (run, spec, decision_no) VALUES (%s, %s, %s)"
                " RETURNING job_no",
                (run, msgspec.json.encode(spec).decode(), decision),
            )
            return int(cursor.fetchall()[0][0])
    except UniqueViolation as error:
        raise JobIsLive(
            "a training job is not over: `murmur retrain jobs` shows it, `murmur retrain cancel` "
            "ends it"
        ) from error


def take_up(connection: Connection, *, holder: str, lease: timedelta) -> Job | None:
    """Return the job that waits, or whose lease is over, now held by `holder`; None: there is none.

    One that was taken up `MOST_ATTEMPTS` times, or was to be cancelled, is ended instead.
    """
    with connection, connection.cursor() as cursor:
        _end_given_up(cursor)
        cursor.execute(
            f"UPDATE retrain_jobs SET state = 'running', holder = %s, attempts = attempts + 1,"  # noqa: S608
            " lease_until = now() + %s, started_at = coalesce(started_at, now())"
            f" WHERE {_FREE} RETURNING {_COLUMNS}",
            (holder, lease),
        )
        return next((_job(row) for row in cursor), None)


def end_given_up(connection: Connection) -> None:
    """End the job that nobody works on and nobody takes up: see `take_up`."""
    with connection, connection.cursor() as cursor:
        _end_given_up(cursor)


def renew(connection: Connection, job: int, *, holder: str, lease: timedelta) -> bool:
    """Renew a lease and tell whether the job is to be cancelled; raise `LeaseLost`."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE retrain_jobs SET lease_until = now() + %s"
            " WHERE job_no = %s AND holder = %s AND state = 'running' RETURNING cancel_asked",
            (lease, job, holder),
        )
        found = cursor.fetchall()
        if not found:
            raise LeaseLost(f"job {job} is over, or another process has it")
        return bool(found[0][0])


def enter_stage(connection: Connection, job: int, *, holder: str, stage: str) -> None:
    """Say which stage a job is in; raise `LeaseLost`."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE retrain_jobs SET stage = %s"
            " WHERE job_no = %s AND holder = %s AND state = 'running' RETURNING 1",
            (stage, job, holder),
        )
        if not cursor.fetchall():
            raise LeaseLost(f"job {job} is over, or another process has it")


def stage_outputs(connection: Connection, job: int) -> dict[str, StageOutput]:
    """Return what the finished stages of a job gave."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, inputs_sha256, output::text FROM retrain_stages WHERE job_no = %s",
            (job,),
        )
        return {
            stage: StageOutput(inputs_sha256=sha256, output=msgspec.json.decode(output))
            for stage, sha256, output in cursor
        }


def finish_stage(
    connection: Connection, job: int, *, holder: str, stage: str, result: StageOutput
) -> None:
    """Store what a stage gave, in place of an earlier output of it; raise `LeaseLost`."""
    with connection, connection.cursor() as cursor:
        _require_held(cursor, job, holder)
        cursor.execute(
            "INSERT INTO retrain_stages (job_no, stage, inputs_sha256, output)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (job_no, stage) DO UPDATE SET"
            " inputs_sha256 = excluded.inputs_sha256, output = excluded.output, ended_at = now()",
            (job, stage, result.inputs_sha256, msgspec.json.encode(result.output).decode()),
        )


def end_job(connection: Connection, job: int, *, holder: str, state: JobState, detail: str) -> None:
    """End a job; raise `LeaseLost`."""
    with connection, connection.cursor() as cursor:
        _require_held(cursor, job, holder)
        cursor.execute(
            "UPDATE retrain_jobs SET state = %s, detail = %s, ended_at = now(), holder = NULL,"
            " lease_until = NULL WHERE job_no = %s",
            (state, detail, job),
        )


def ask_to_cancel(connection: Connection, job: int) -> Job:
    """Have a job end: at once where nobody works on it, else when its process renews its lease.

    Raises `Failure` where it is over, or there is none.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE retrain_jobs SET cancel_asked = true,"  # noqa: S608
            f" state = CASE WHEN {_FREE} THEN 'cancelled' ELSE state END,"
            f" ended_at = CASE WHEN {_FREE} THEN now() END,"
            f" holder = CASE WHEN NOT {_FREE} THEN holder END,"
            f" lease_until = CASE WHEN NOT {_FREE} THEN lease_until END,"
            f" detail = CASE WHEN {_FREE} THEN 'cancelled' ELSE detail END"
            f" WHERE job_no = %s AND state IN ('queued', 'running') RETURNING {_COLUMNS}",
            (job,),
        )
        for row in cursor:
            return _job(row)
    raise Failure(f"there is no job {job} that could be cancelled: `murmur retrain jobs`")


def jobs(connection: Connection, *, most: int = 50) -> list[Job]:
    """Return the jobs, the last one first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM retrain_jobs ORDER BY job_no DESC LIMIT %s",  # noqa: S608
            (most,),
        )
        return [_job(row) for row in cursor]


def jobs_that_are_over(connection: Connection, numbers: Sequence[int]) -> list[int]:
    """Return which of these jobs are over, those that are not stored among them."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT job_no FROM retrain_jobs WHERE job_no = ANY(%s)"
            " AND state IN ('queued', 'running')",
            (list(numbers),),
        )
        return sorted(set(numbers) - {number for (number,) in cursor})


def live_job(connection: Connection) -> Job | None:
    """Return the job that is not over, if there is one."""
    return next((job for job in jobs(connection, most=1) if job.state in LIVE_STATES), None)


def _end_given_up(cursor: Any) -> None:
    cursor.execute(
        "UPDATE retrain_jobs SET ended_at = now(), holder = NULL, lease_until = NULL,"  # noqa: S608
        " state = CASE WHEN cancel_asked THEN 'cancelled' ELSE 'failed' END,"
        " detail = CASE WHEN cancel_asked THEN 'cancelled' ELSE"
        " 'it ended ' || attempts || ' processes' END"
        f" WHERE {_FREE} AND (cancel_asked OR attempts >= %s)",
        (MOST_ATTEMPTS,),
    )


def _require_held(cursor: Any, job: int, holder: str) -> None:
    cursor.execute(
        "SELECT 1 FROM retrain_jobs WHERE job_no = %s AND holder = %s AND state = 'running'"
        " FOR UPDATE",
        (job, holder),
    )
    if not cursor.fetchall():
        raise LeaseLost(f"job {job} is over, or another process has it")


def _job(row: tuple[Any, ...]) -> Job:
    number, run, state, stage, holder, attempts, detail, spec, *rest = row
    asked, created_at, started_at, ended_at = rest
    return Job(
        number=number,
        run=run,
        state=JobState(state),
        stage=stage,
        holder=holder,
        attempts=attempts,
        detail=detail,
        spec=spec,
        cancel_asked=asked,
        created_at=created_at,
        started_at=started_at,
        ended_at=ended_at,
    )


def find_job(connection: Connection, number: int) -> Job:
    """Return a job; raise `Failure` where there is none of this number."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM retrain_jobs WHERE job_no = %s",  # noqa: S608
            (number,),
        )
        for row in cursor:
            return _job(row)
    raise NotThere(f"there is no job {number}: `murmur retrain jobs` shows them")
