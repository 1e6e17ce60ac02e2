"""Training jobs: never two at once, taken over from the dead, and nothing from who lost a lease."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from retrain.jobs.job_folders import forget_texts_of_ended
from retrain.jobs.job_store import (
    LIVE_STATES,
    MOST_ATTEMPTS,
    JobIsLive,
    JobState,
    LeaseLost,
    StageOutput,
    ask_to_cancel,
    create_job,
    end_job,
    enter_stage,
    finish_stage,
    jobs,
    live_job,
    record_decision,
    renew,
    stage_outputs,
    take_up,
)
from retrain.jobs.policy import PolicyInputs, PolicySettings, decide_retraining
from retrain.jobs.policy_inputs import read_policy_inputs
from retrain.jobs.watch_retraining import _decide
from retrain.labels.write_labels import LabelKey, PersonsLabel, write_labels
from retrain.promotion.promotions import promotions
from retrain.promotion.promotions import store as store_promotion
from schemas.failures import Failure
from schemas.model_events import ModelPromoted, PromotedModel, decode_promoted
from schemas.people_labels import LabelOrigin
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import Connection, connect_postgres
from tests.integration.replay_runs import messages
from tests.integration.storing import store
from tests.unit.examples import scored_tweet
from tests.unit.retrain.test_retraining_policy import NOW

EXAMPLES: Final = 1_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 40
LEASE: Final = timedelta(minutes=5)
HOLDERS: Final = ("one", "two")


def lease_is_over(connection: Connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE retrain_jobs SET lease_until = now() - interval '1 second'"
            " WHERE state = 'running'"
        )


def test_of_two_jobs_at_once_one_is_refused(connection: Connection) -> None:
    number = create_job(connection, run="live", spec={"quick": True}, decision=None)
    with pytest.raises(JobIsLive):
        create_job(connection, run="live", spec={}, decision=None)
    job = take_up(connection, holder="one", lease=LEASE)
    assert job is not None
    assert (job.number, job.spec, job.attempts) == (number, {"quick": True}, 1)
    with pytest.raises(JobIsLive):
        create_job(connection, run="live", spec={}, decision=None)
    assert take_up(connection, holder="two", lease=LEASE) is None
    end_job(connection, number, holder="one", state=JobState.DONE, detail="promoted")
    assert create_job(connection, run="live", spec={}, decision=None) > number


def test_a_job_goes_on_elsewhere_with_what_its_stages_gave(connection: Connection) -> None:
    number = create_job(connection, run="live", spec={}, decision=None)
    assert take_up(connection, holder="one", lease=LEASE) is not None
    enter_stage(connection, number, holder="one", stage="train")
    result = StageOutput(inputs_sha256="ab" * 32, output={"folder": "here"})
    finish_stage(connection, number, holder="one", stage="train", result=result)
    lease_is_over(connection)
    taken = take_up(connection, holder="two", lease=LEASE)
    assert taken is not None
    assert (taken.stage, taken.attempts) == ("train", 2)
    assert stage_outputs(connection, number) == {"train": result}
    for act in (
        lambda: renew(connection, number, holder="one", lease=LEASE),
        lambda: enter_stage(connection, number, holder="one", stage="export"),
        lambda: finish_stage(connection, number, holder="one", stage="export", result=result),
        lambda: end_job(connection, number, holder="one", state=JobState.DONE, detail=""),
    ):
        with pytest.raises(LeaseLost):
            act()
    assert renew(connection, number, holder="two", lease=LEASE) is False


def test_a_job_that_ends_every_process_is_ended_itself(connection: Connection) -> None:
    create_job(connection, run="live", spec={}, decision=None)
    for _ in range(MOST_ATTEMPTS):
        assert take_up(connection, holder="one", lease=LEASE) is not None
        lease_is_over(connection)
    assert take_up(connection, holder="one", lease=LEASE) is None
    assert jobs(connection)[0].state is JobState.FAILED


def test_a_cancelled_job_ends(connection: Connection) -> None:
    waiting = create_job(connection, run="live", spec={}, decision=None)
    assert ask_to_cancel(connection, waiting).state is JobState.CANCELLED
    running = create_job(connection, run="live", spec={}, decision=None)
    assert take_up(connection, holder="one", lease=LEASE) is not None
    assert ask_to_cancel(connection, running).state is JobState.RUNNING
    assert renew(connection, running, holder="one", lease=LEASE) is True
    lease_is_over(connection)
    assert take_up(connection, holder="two", lease=LEASE) is None
    assert jobs(connection)[0].state is JobState.CANCELLED
    with pytest.raises(Failure):
        ask_to_cancel(connection, running)


def test_a_job_that_nobody_works_on_any_more_is_cancelled_at_once(connection: Connection) -> None:
    number = create_job(connection, run="live", spec={}, decision=None)
    assert take_up(connection, holder="one", lease=LEASE) is not None
    lease_is_over(connection)
    cancelled = ask_to_cancel(connection, number)
    assert (cancelled.state, cancelled.holder) == (JobState.CANCELLED, None)
    with pytest.raises(LeaseLost):
        renew(connection, number, holder="one", lease=LEASE)


def test_the_texts_of_every_job_that_is_over_are_forgotten(
    connection: Connection, tmp_path: Path
) -> None:
    def left_by_a_kill(job: int) -> Path:
        folder = tmp_path / str(job)
        for name in ("model-ab", ".model-ab.unfinished", "bundle-ab", ".bundle-ab.unfinished"):
            (folder / name).mkdir(parents=True)
            (folder / name / "validation.jsonl").write_text("a tweet")
        for name in ("labels.csv", "frozen-audits.csv", ".labels.csv.17", "verdict.json"):
            (folder / name).write_text("a tweet")
        return folder

    cancelled = left_by_a_kill(create_job(connection, run="live", spec={}, decision=None))
    assert take_up(connection, holder="one", lease=LEASE) is not None
    lease_is_over(connection)
    ask_to_cancel(connection, int(cancelled.name))
    at_work = left_by_a_kill(create_job(connection, run="live", spec={}, decision=None))
    unknown = left_by_a_kill(int(at_work.name) + 1_000)
    (tmp_path / "log.txt").write_text("what the stages said")
    forget_texts_of_ended(connection, tmp_path)
    for over in (cancelled, unknown):
        assert sorted(each.name for each in over.iterdir()) == ["bundle-ab", "verdict.json"]
    assert len(list(at_work.iterdir())) == 8
    assert (tmp_path / "log.txt").is_file()
    forget_texts_of_ended(connection, tmp_path / "never made")


def test_labels_are_new_by_when_they_came_in_and_until_a_training_did_not_fail(
    connection: Connection,
) -> None:
    def new_labels() -> int:
        inputs = read_policy_inputs(connection, "test", forced=False)
        return sum(inputs.new_labels.values())

    def job(state: JobState) -> None:
        number = create_job(connection, run="test", spec={}, decision=None)
        assert take_up(connection, holder="one", lease=LEASE) is not None
        end_job(connection, number, holder="one", state=state, detail="")

    def label(root_id: str) -> PersonsLabel:
        key = LabelKey("test", root_id, 0, "ann", LabelOrigin.QUEUE)
        return PersonsLabel(key, "negative", False, NOW - timedelta(days=400))

    store(connection, [scored_tweet(tweet_id=each, run="test") for each in "123"])
    job(JobState.DONE)
    with connection, connection.cursor() as cursor:
        write_labels(cursor, [label("1"), label("2")])
    assert new_labels() == 2, "given long ago, imported now"
    job(JobState.FAILED)
    assert new_labels() == 2, "nothing has learned from them"
    assert read_policy_inputs(connection, "test", forced=False).last_job_at is not None
    job(JobState.REFUSED)
    assert new_labels() == 0
    with connection, connection.cursor() as cursor:
        write_labels(cursor, [label("2"), label("3")])
    assert new_labels() == 2, "what is said anew is new"


def test_what_looks_after_jobs_tells_kafka_of_a_promotion_that_it_does_not_have(
    connection: Connection, settings: Settings
) -> None:
    model = PromotedModel(name="m", version="1", sha256="a" * 64, cleaning="2", address="/nowhere")
    event = ModelPromoted(promotion_id="f" * 16, models=(model,), decision="", promoted_at=NOW)
    store_promotion(connection, event, after=None)
    assert not _decide(settings)
    told = [decode_promoted(each.value() or b"") for each in messages(settings, MODELS_PROMOTED)]
    assert told == [event]
    assert promotions(connection)[0].published_at is not None


def test_equal_decisions_in_a_row_are_stored_once(connection: Connection) -> None:
    settings = PolicySettings()
    quiet = PolicyInputs(now=NOW)
    drifted = PolicyInputs(now=NOW, drift_alarms=("a",), new_labels={LabelOrigin.AUDIT: 288})

    def recorded(inputs: PolicyInputs) -> int:
        return record_decision(connection, inputs, settings, decide_retraining(inputs, settings))

    numbers = [recorded(each) for each in (quiet, quiet, drifted, drifted, quiet)]
    assert [number - numbers[0] for number in numbers] == [0, 0, 1, 1, 2]


class Interleavings(RuleBasedStateMachine):
    """Two processes and a clock over one table, beside what the table should say."""

    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute("TRUNCATE retrain_jobs, retrain_stages")
        self.live: int | None = None
        self.holder: str | None = None
        self.over = False
        self.asked = False
        self.attempts = 0

    @rule()
    def create(self) -> None:
        if self.live is None:
            self.live = create_job(self.connection, run="live", spec={}, decision=None)
            self.holder, self.over, self.asked, self.attempts = None, False, False, 0
        else:
            with pytest.raises(JobIsLive):
                create_job(self.connection, run="live", spec={}, decision=None)

    @rule(holder=st.sampled_from(HOLDERS))
    def take(self, holder: str) -> None:
        taken = take_up(self.connection, holder=holder, lease=LEASE)
        free = self.live is not None and (self.holder is None or self.over)
        if free and (self.asked or self.attempts >= MOST_ATTEMPTS):
            assert taken is None
            self.live = None
        elif free:
            assert taken is not None
            assert taken.number == self.live
            self.holder, self.over = holder, False
            self.attempts += 1
        else:
            assert taken is None

    @precondition(lambda self: self.holder is not None)
    @rule()
    def time_passes(self) -> None:
        lease_is_over(self.connection)
        self.over = True

    @rule(holder=st.sampled_from(HOLDERS))
    def renews(self, holder: str) -> None:
        if self.live is not None and self.holder == holder:
            assert renew(self.connection, self.live, holder=holder, lease=LEASE) is self.asked
            self.over = False
        elif self.live is not None:
            with pytest.raises(LeaseLost):
                renew(self.connection, self.live, holder=holder, lease=LEASE)

    @rule(holder=st.sampled_from(HOLDERS), state=st.sampled_from(["done", "refused", "failed"]))
    def ends(self, holder: str, state: str) -> None:
        if self.live is not None and self.holder == holder:
            end_job(self.connection, self.live, holder=holder, state=JobState(state), detail="")
            self.live = None
        elif self.live is not None:
            with pytest.raises(LeaseLost):
                end_job(self.connection, self.live, holder=holder, state=JobState(state), detail="")

    @precondition(lambda self: self.live is not None)
    @rule()
    def cancels(self) -> None:
        assert self.live is not None
        ask_to_cancel(self.connection, self.live)
        self.asked = True
        if self.holder is None or self.over:
            self.live = None

    @invariant()
    def one_job_at_most_is_not_over(self) -> None:
        found = [job for job in jobs(self.connection) if job.state in LIVE_STATES]
        assert [job.number for job in found] == ([] if self.live is None else [self.live])
        held = live_job(self.connection)
        assert (held.holder if held else None) == (self.holder if self.live else None)


def test_any_interleaving_of_two_processes_keeps_to_one_job(settings: Settings) -> None:
    connection = connect_postgres(settings.postgres_connection, "test")
    machine = type("Machine", (Interleavings,), {"connection": connection})
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    connection.close()
