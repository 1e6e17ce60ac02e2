"""Working on a job: stage after stage under a lease, from where it stood."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import psycopg2
from msgspec import Struct

from retrain.export.quality_gate import ExportRefused
from retrain.jobs.job_folders import forget_texts
from retrain.jobs.job_store import (
    Job,
    JobState,
    LeaseLost,
    StageOutput,
    end_job,
    enter_stage,
    finish_stage,
    renew,
    stage_outputs,
)
from retrain.jobs.stages import STAGES, Desk, Stage, inputs_sha256
from schemas.failures import Failure
from schemas.process.stop_signals import interruptible
from schemas.transport.postgres import Connection, PostgresUnavailable

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=2)
_RENEWALS_A_LEASE: Final = 6


class JobResult(Struct, frozen=True, kw_only=True):
    """How a job ended, and what its last stage gave."""

    job: int
    state: JobState
    detail: str
    output: dict[str, Any]


class Interrupted(Failure):
    """The job is to be cancelled, or another process has it."""


def work_on(
    job: Job,
    desk: Desk,
    *,
    holder: str,
    connect: Callable[[], Connection],
    stages: Sequence[Stage] = STAGES,
    lease: timedelta = LEASE,
    told: Callable[[str, bool], None] = lambda _stage, _skipped: None,
) -> JobResult:
    """Do the stages that are not done yet and end the job.

    `connect` makes the connection by which another thread renews the lease. `told` hears of each
    stage, and whether it was done already. A failure of a stage ends the job as failed; a gate that
    was not passed, that of an export too, ends it as refused. Its texts are gone then. Raises
    `LeaseLost` where another process has the job: then nothing more is changed. What else is raised
    leaves the job to whoever takes it up next.
    """
    with interruptible(), _lease_renewed(job.number, holder, connect, lease) as heart:
        try:
            output = _do_stages(job, desk, holder, stages, told)
            promoted = output.get("passed", True)
            state = JobState.DONE if promoted else JobState.REFUSED
            detail = str(output.get("sentence", ""))
        except KeyboardInterrupt:
            if not heart.interrupted:
                raise
            heart.raise_if_lost()
            state, detail, output = JobState.CANCELLED, "cancelled", {}
        except LeaseLost:
            raise
        except ExportRefused as error:
            state, detail, output = JobState.REFUSED, str(error), {}
        except Failure as error:
            state, detail, output = JobState.FAILED, str(error), {}
        heart.stop()
    heart.raise_if_lost()
    end_job(desk.connection, job.number, holder=holder, state=state, detail=detail)
    forget_texts(desk.folder)
    return JobResult(job=job.number, state=state, detail=detail, output=output)


def _do_stages(
    job: Job,
    desk: Desk,
    holder: str,
    stages: Sequence[Stage],
    told: Callable[[str, bool], None],
) -> dict[str, Any]:
    known = stage_outputs(desk.connection, job.number)
    done: dict[str, dict[str, Any]] = {}
    for stage in stages:
        sha256 = inputs_sha256(desk, stage, done)
        before = known.get(stage.name)
        skipped = (
            before is not None
            and before.inputs_sha256 == sha256
            and stage.is_here(desk, before.output)
        )
        told(stage.name, skipped)
        if before is not None and skipped:
            done[stage.name] = before.output
            continue
        enter_stage(desk.connection, job.number, holder=holder, stage=stage.name)
        output = stage.work(desk, done)
        result = StageOutput(inputs_sha256=sha256, output=output)
        finish_stage(desk.connection, job.number, holder=holder, stage=stage.name, result=result)
        done[stage.name] = output
    return done[stages[-1].name]


class _Heart:
    """Renews a lease until it is stopped; what it finds interrupts the main thread."""

    def __init__(
        self, job: int, holder: str, connect: Callable[[], Connection], lease: timedelta
    ) -> None:
        self._job = job
        self._holder = holder
        self._connect = connect
        self._connection: Connection | None = None
        self._lease = lease
        self._stopped = threading.Event()
        self._fault: BaseException | None = None
        self.interrupted = False

    def stop(self) -> None:
        """Renew no more."""
        self._stopped.set()

    def raise_if_lost(self) -> None:
        """Raise `LeaseLost` if that was found, or the fault that kept it from being renewed."""
        if self._fault is not None:
            raise self._fault

    def beat(self) -> None:
        """Renew in turns of a sixth of the lease, for which PostgreSQL may be away.

        A fault that is none of these interrupts the main thread too: unseen, the lease would end
        and two processes be at work.
        """
        try:
            self._beat()
        except BaseException as fault:
            self._fault = fault
            self._interrupt()
            raise
        finally:
            self._disconnect()

    def _beat(self) -> None:
        pause_s = self._lease.total_seconds() / _RENEWALS_A_LEASE
        while not self._stopped.wait(pause_s):
            try:
                to_end = self._renewed()
            except LeaseLost as error:
                self._fault, to_end = error, True
            except (psycopg2.Error, PostgresUnavailable) as error:
                logger.warning("the lease of job %d was not renewed: %s", self._job, error)
                self._disconnect()
                continue
            if to_end:
                self._interrupt()
                return

    def _interrupt(self) -> None:
        if not self._stopped.is_set():
            self.interrupted = True
            os.kill(os.getpid(), signal.SIGINT)

    def _renewed(self) -> bool:
        if self._connection is None:
            self._connection = self._connect()
        return renew(self._connection, self._job, holder=self._holder, lease=self._lease)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def _lease_renewed(
    job: int, holder: str, connect: Callable[[], Connection], lease: timedelta
) -> Iterator[_Heart]:
    heart = _Heart(job, holder, connect, lease)
    thread = threading.Thread(target=heart.beat, name="lease", daemon=True)
    thread.start()
    try:
        yield heart
    finally:
        heart.stop()
        thread.join()
