"""A training that is killed ends as if it had not been."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrain.trained import Trained, read_trained
from tests.conditions import wait_until
from tests.training import tiny_base, write_labels

CODE = "from deploy.cli import main; main()"


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("training")
    labels = write_labels(folder / "labels.csv", rows=900)
    command = [sys.executable, "-c", CODE, "model", "train", "--labels", str(labels)]
    command += ["--base", str(tiny_base(folder / "tiny")), "--learning-rate", "0.01"]
    # No patience: all steps are made, also where the small model has learned it all.
    return [*command, "--threads", "1", "--patience", "0", "--epochs", "4", "--checkpoint-s", "0"]


def start(arguments: list[str], out: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "MURMUR_HOME": str(out.parent)}
    return subprocess.Popen(
        [*arguments, "--out", str(out)],
        env=environment,
        cwd=out.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()


def steps_written(checkpoints: Path) -> int:
    steps = [int(file.stem.removeprefix("step-")) for file in checkpoints.glob("step-*.pt")]
    return max(steps, default=0)


def result(trained: Trained, out: Path) -> dict[str, Any]:
    return {"figures": trained.figures, "weights": (out / "model.safetensors").read_bytes()}


def test_killed_and_started_again_it_ends_with_the_same_weights_and_figures(
    arguments: list[str], tmp_path: Path
) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    process = start(arguments, killed)
    # The second kill comes later than the first: what was resumed is resumed again.
    for steps in (5, 40):
        wait_until(
            lambda least=steps: steps_written(tmp_path / "killed.checkpoints") >= least,
            120,
            f"{steps} steps to be written",
        )
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert not killed.exists()
        process = start(arguments, killed)
    end(process)
    end(start(arguments, calm))

    assert result(read_trained(killed), killed) == result(read_trained(calm), calm)
    assert read_trained(calm).figures["steps"] == 4 * 26
    assert not list(tmp_path.glob("*.checkpoints"))
