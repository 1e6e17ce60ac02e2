"""Labels of a stream become a model that serves: the whole circle, with a real training."""

import json
import os
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from model_server.bundle import open_bundle
from retrain.jobs.job_spec import JobSpec
from retrain.jobs.job_store import JobState, create_job, jobs, live_job, stage_outputs
from retrain.promotion.promotion_gate import GateLimits
from retrain.promotion.promotions import promotions
from schemas.model_events import decode_promoted
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import Connection
from tests.conditions import wait_until
from tests.integration.replay_runs import messages
from tests.integration.storing import store
from tests.stack import MURMUR, process_environment
from tests.training.tiny_trained import texts_of, tiny_trained
from tests.unit.examples import scored_tweet

FIRST_ID: Final = 1_590_000_000_000_000_000
NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
SPEC: Final = JobSpec(
    run="stream",
    train_options=(
        *("--learning-rate", "0.002", "--epochs", "8", "--batch-texts", "32", "--patience", "0"),
        *("--word-dropout", "0", "--averaging-decay", "0.9"),
    ),
    limits=GateLimits(fewest_audits=200, recall_loss=0.2, calibration_loss=0.1),
)


class Circle:
    """A stream with labels, a champion that has learned little, and the commands."""

    def __init__(
        self, settings: Settings, connection: Connection, folder: Path, champion: Path
    ) -> None:
        self.settings = settings.model_copy(
            update={
                "home": folder / "home",
                "model": folder / "champion",
                "retrain_run": "stream",
                "retrain_min_labels": 1_000,
            }
        )
        self.connection = connection
        shutil.copytree(champion, folder / "champion")

    def run(self, *arguments: str, code: int = 0) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, err.decode()
        return str(out.decode())

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [MURMUR, *arguments],
            env=process_environment(self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def label_tweets(self, count: int) -> None:
        """Store tweets, every second one audited and the others labelled from the queue."""
        rows = texts_of(count, seed=7)
        tweets = [
            scored_tweet(
                run="stream",
                tweet_id=str(FIRST_ID + number),
                text=text,
                posted_at=NOW - timedelta(minutes=number),
                received_at=NOW,
            )
            for number, (text, _) in enumerate(rows)
        ]
        store(self.connection, tweets)
        with self.connection, self.connection.cursor() as cursor:
            for number, (_, label) in enumerate(rows):
                cursor.execute(
                    "INSERT INTO labels VALUES ('stream', %s, 0, 'ann', %s, 0, %s, false, now())"
                    " ON CONFLICT DO NOTHING",
                    (str(FIRST_ID + number), "queue" if number % 2 else "audit", label),
                )


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that has learned little."""
    folder = tmp_path_factory.mktemp("champion")
    trained = tiny_trained(folder / "trained", steps=24)
    export = ["model", "export", str(trained), "--out", str(folder / "bundle"), "--any-cost"]
    subprocess.run([MURMUR, *export], check=True, capture_output=True, timeout=240)
    return folder / "bundle"


@pytest.fixture
def circle(settings: Settings, connection: Connection, tmp_path: Path, champion: Path) -> Circle:
    return Circle(settings, connection, tmp_path, champion)


def test_labels_lead_to_a_model_that_serves_also_through_a_kill(
    circle: Circle, settings: Settings
) -> None:
    circle.label_tweets(900)
    assert "100 labels are missing" in circle.run("retrain", "check", "--force", code=99)
    circle.label_tweets(1_600)
    number = create_job(circle.connection, run="stream", spec=SPEC.as_stored(), decision=None)
    with circle.start("retrain", "run") as first:
        wait_until(
            lambda: "prepare" in stage_outputs(circle.connection, number), 60, "the training begins"
        )
        os.kill(first.pid, signal.SIGKILL)
    with circle.connection, circle.connection.cursor() as cursor:
        cursor.execute("UPDATE retrain_jobs SET lease_until = now() - interval '1 second'")
    result: dict[str, Any] = json.loads(circle.run("retrain", "run", "--json"))
    assert (result["state"], result["output"]["promoted"]) == ("done", True), result
    job = jobs(circle.connection)[0]
    assert (job.attempts, job.state) == (2, JobState.DONE)
    event = promotions(circle.connection)[0].event
    assert event.champion.sha256 == result["output"]["sha256"]
    assert open_bundle(Path(event.champion.address)).identity.sha256 == event.champion.sha256
    told = [decode_promoted(each.value() or b"") for each in messages(settings, MODELS_PROMOTED)]
    assert told[-1] == event
    verdict = stage_outputs(circle.connection, number)["evaluate"].output["verdict"]
    assert verdict["passed"]
    assert 250 < verdict["audits"] < 550
    left = sorted(each.name for each in (circle.settings.job_folders / str(number)).iterdir())
    bundle = Path(stage_outputs(circle.connection, number)["export"].output["folder"]).name
    assert left == [bundle, "verdict.json"], "what deletions do not reach is gone with the job"
    assert circle.run("retrain", "run", code=99).startswith("there is no job")
    assert msgspec.json.decode(circle.run("retrain", "show", str(number), "--json"))["job"]


def test_a_model_that_is_no_better_does_not_serve(circle: Circle) -> None:
    circle.label_tweets(1_600)
    spec = msgspec.structs.replace(
        SPEC,
        train_options=("--learning-rate", "0.000001", "--epochs", "1", "--no-class-biases"),
        seed=2,
    )
    create_job(circle.connection, run="stream", spec=spec.as_stored(), decision=None)
    result = json.loads(circle.run("retrain", "run", "--json"))
    assert result["state"] == "refused", result
    assert "better on the audits" not in result["detail"]
    assert "macro-recall" in result["detail"]
    assert promotions(circle.connection) == []
    assert live_job(circle.connection) is None


def test_labels_that_cannot_teach_end_the_job_with_the_reason(circle: Circle) -> None:
    circle.label_tweets(30)
    create_job(circle.connection, run="stream", spec=SPEC.as_stored(), decision=None)
    result = json.loads(circle.run("retrain", "run", "--json", code=1))
    assert (result["state"], "fewer than 20 texts" in result["detail"]) == ("failed", True)
