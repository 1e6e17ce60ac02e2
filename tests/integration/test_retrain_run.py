"""Working on a job: stages once each, going on after a death, and stopping when told."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from model_server.bundle import RefusedBundle, default_bundle, open_bundle
from retrain.export.quality_gate import ExportRefused
from retrain.jobs.do_job import do_waiting_job
from retrain.jobs.job_spec import JobSpec, spec_of
from retrain.jobs.job_store import (
    MOST_ATTEMPTS,
    Job,
    JobState,
    LeaseLost,
    ask_to_cancel,
    create_job,
    jobs,
    take_up,
)
from retrain.jobs.run_job import JobResult, work_on
from retrain.jobs.stages import Desk, Outputs, Stage
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.transport.postgres import Connection, connect_postgres

LEASE = timedelta(minutes=5)
SPEC = JobSpec(run="live")


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Work:
    """Three stages that note what they did, and can be told to do otherwise."""

    desk: Desk
    done: list[str] = field(default_factory=list)
    labels: str = "these"
    acts: dict[str, Callable[[], None]] = field(default_factory=dict)
    is_here: Callable[[Desk, dict[str, Any]], bool] = lambda _desk, _output: True

    def stages(self) -> list[Stage]:
        def stage(name: str, given: Callable[[Desk, Outputs], Any]) -> Stage:
            def work(_desk: Desk, _before: Outputs) -> dict[str, Any]:
                self.done.append(name)
                self.acts.get(name, lambda: None)()
                return {"made_by": name, "sentence": "promoted"}

            return Stage(name, given, work, self.is_here)

        return [
            stage("prepare", lambda _desk, _before: self.labels),
            stage("train", lambda _desk, before: [before["prepare"], self.labels]),
            stage("register", lambda _desk, before: before["train"]),
        ]


@pytest.fixture
def work(connection: Connection, tmp_path: Path) -> Work:
    return Work(
        Desk(
            spec=SPEC,
            number=1,
            folder=tmp_path,
            connection=connection,
            champion=open_bundle(default_bundle()),
            run_command=lambda _arguments: None,
            register=lambda _folder, _verdict: {},
        )
    )


def taken_up(connection: Connection, holder: str = "one") -> Job:
    job = take_up(connection, holder=holder, lease=LEASE)
    assert job is not None
    return job


def do(
    work: Work, job: Job, settings: Settings, *, holder: str = "one", lease: timedelta = LEASE
) -> JobResult:
    return work_on(
        job,
        work.desk,
        holder=holder,
        connect=lambda: connect_postgres(settings.postgres_connection, "test"),
        stages=work.stages(),
        lease=lease,
    )


def killed_at(stage: str, work: Work, connection: Connection, settings: Settings) -> None:
    """Have the process of the job that waits be killed at a stage, and its lease end."""

    def die() -> None:
        raise Killed

    work.acts[stage] = die
    with pytest.raises(Killed):
        do(work, taken_up(connection), settings)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE retrain_jobs SET lease_until = now() - interval '1 second'")
    work.acts.clear()


def test_a_killed_job_goes_on_where_it_stood(
    work: Work, connection: Connection, settings: Settings
) -> None:
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)
    killed_at("train", work, connection, settings)
    job = taken_up(connection, "two")
    assert (job.stage, spec_of(job.spec)) == ("train", SPEC)
    result = do(work, job, settings, holder="two")
    assert (result.state, result.detail) == (JobState.DONE, "promoted")
    assert work.done == ["prepare", "train", "train", "register"]


def test_a_stage_is_done_again_when_its_inputs_have_changed(
    work: Work, connection: Connection, settings: Settings
) -> None:
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)
    killed_at("register", work, connection, settings)
    work.labels = "others"
    do(work, taken_up(connection), settings)
    assert work.done == ["prepare", "train", "register", "prepare", "train", "register"]


def test_a_stage_that_fails_ends_the_job(
    work: Work, connection: Connection, settings: Settings
) -> None:
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)

    def fail() -> None:
        raise Failure("the labels cannot teach")

    work.acts["prepare"] = fail
    assert do(work, taken_up(connection), settings).state is JobState.FAILED
    job = jobs(connection)[0]
    assert (job.state, job.detail, job.stage) == (
        JobState.FAILED,
        "the labels cannot teach",
        "prepare",
    )


def test_a_job_waits_while_the_champion_cannot_be_had(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"model": tmp_path / "nowhere", "home": tmp_path})

    def run() -> JobResult | None:
        return do_waiting_job(own, run_command=lambda _: None, told=lambda _, __: None)

    assert run() is None
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)
    with pytest.raises(RefusedBundle):
        run()
    assert (jobs(connection)[0].state, jobs(connection)[0].attempts) == (JobState.QUEUED, 0)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE retrain_jobs SET attempts = %s", (MOST_ATTEMPTS,))
    left = own.job_folders / str(jobs(connection)[0].number) / "labels.csv"
    left.parent.mkdir(parents=True)
    left.write_text("a tweet")
    assert run() is None
    assert jobs(connection)[0].state is JobState.FAILED
    assert not left.exists()


def test_a_model_that_the_export_refuses_ends_the_job_as_refused(
    work: Work, connection: Connection, settings: Settings
) -> None:
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)

    def refuse() -> None:
        raise ExportRefused("a tweet costs 1.4 times as much")

    work.acts["train"] = refuse
    assert do(work, taken_up(connection), settings).state is JobState.REFUSED
    job = jobs(connection)[0]
    assert (job.state, job.detail) == (JobState.REFUSED, "a tweet costs 1.4 times as much")


def test_what_a_stage_made_on_another_machine_is_made_again_here(
    work: Work, connection: Connection, settings: Settings
) -> None:
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)
    killed_at("register", work, connection, settings)
    work.is_here = lambda _desk, output: output["made_by"] != "train"
    do(work, taken_up(connection, "two"), settings, holder="two")
    assert work.done == ["prepare", "train", "register", "train", "register"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lease_that_cannot_be_renewed_for_a_fault_of_its_own_ends_the_work(
    work: Work, connection: Connection
) -> None:
    create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)

    def wait_long() -> None:
        threading.Event().wait(60)

    def connect() -> Connection:
        raise UnicodeError("a setting that nobody thought of")

    work.acts["train"] = wait_long
    with pytest.raises(UnicodeError):
        work_on(
            taken_up(connection),
            work.desk,
            holder="one",
            connect=connect,
            stages=work.stages(),
            lease=timedelta(seconds=3),
        )
    assert work.done == ["prepare", "train"]
    assert jobs(connection)[0].state is JobState.RUNNING, "whoever comes next takes it up"


@pytest.mark.parametrize("taken_away", [False, True], ids=["cancelled", "taken by another"])
def test_a_stage_at_work_is_stopped(
    taken_away: bool, work: Work, connection: Connection, settings: Settings
) -> None:
    # As in the background of a shell without job control.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    number = create_job(connection, run="live", spec=SPEC.as_stored(), decision=None)
    job = taken_up(connection)
    other = connect_postgres(settings.postgres_connection, "test")

    def stop_and_wait() -> None:
        if taken_away:
            with other, other.cursor() as cursor:
                cursor.execute("UPDATE retrain_jobs SET holder = 'another'")
        else:
            ask_to_cancel(other, number)
        threading.Event().wait(30)

    work.acts["train"] = stop_and_wait
    short = timedelta(seconds=6)
    if taken_away:
        with pytest.raises(LeaseLost):
            do(work, job, settings, lease=short)
        assert jobs(connection)[0].holder == "another"
    else:
        assert do(work, job, settings, lease=short).state is JobState.CANCELLED
        assert jobs(connection)[0].state is JobState.CANCELLED
    assert work.done == ["prepare", "train"]
    assert signal.signal(signal.SIGINT, before) is signal.SIG_IGN
    other.close()
