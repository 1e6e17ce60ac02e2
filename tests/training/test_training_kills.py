"""A training that is killed ends as if it had not been."""

import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from retrain.trained_model import read_trained
from tests.conditions import wait_until
from tests.training.tiny_data import tiny_base, write_labels

EPOCHS, STEPS_PER_EPOCH = 4, 12


def train(labels: Path, base: Path, out: Path) -> None:
    os.chdir(out.parent)
    os.environ["MURMUR_HOME"] = str(out.parent)
    from deploy.cli import murmur

    # No patience: all steps are made, also where the small model has learned it all.
    arguments = f"model train --labels {labels} --base {base} --out {out} --learning-rate 0.01"
    arguments += f" --threads 1 --patience 0 --epochs {EPOCHS} --batch-texts 32 --checkpoint-s 0"
    murmur(arguments.split(), standalone_mode=False)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.preloaded_training"])
    return context


@pytest.fixture
def start(tmp_path: Path, processes: ForkServerContext) -> Callable[[Path], ForkServerProcess]:
    labels, base = write_labels(tmp_path / "labels.csv", rows=420), tiny_base(tmp_path / "tiny")

    def started(out: Path) -> ForkServerProcess:
        process = processes.Process(target=train, args=(labels, base, out))
        process.start()
        return process

    return started


def has_written(checkpoints: Path, steps: int) -> bool:
    names = [file.stem for file in checkpoints.glob("step-*.pt")]
    return any(int(name.split("-")[1]) >= steps for name in names)


def ended_well(process: ForkServerProcess) -> bool:
    process.join(timeout=120)
    return process.exitcode == 0


def result(out: Path) -> dict[str, Any]:
    weights = (out / "model.safetensors").read_bytes()
    return {"figures": read_trained(out).figures, "weights": weights}


@pytest.mark.timeout(600)
def test_killed_and_started_again_it_ends_with_the_same_weights_and_figures(
    start: Callable[[Path], ForkServerProcess], tmp_path: Path
) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    checkpoints = tmp_path / "killed.checkpoints"
    # The second kill comes later than the first: what was resumed is resumed again.
    for steps in (5, 20):
        process = start(killed)
        wait_until(partial(has_written, checkpoints, steps), 180, f"step {steps}")
        process.kill()
        process.join()
        assert not killed.exists()
    assert ended_well(start(killed))
    assert ended_well(start(calm))

    assert result(killed) == result(calm)
    assert read_trained(calm).figures["steps"] == EPOCHS * STEPS_PER_EPOCH
    assert not list(tmp_path.glob("*.checkpoints"))
