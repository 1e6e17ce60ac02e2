"""Checkpoints: kept two at a time, passed over when damaged, never another training's."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from retrain.training.checkpoints import Checkpoints, ForeignCheckpoint
from retrain.training.hardware import choose_hardware
from schemas.failures import Failure
from tests.training.tiny_data import Train, tracked_run


def cut(content: bytes) -> bytes:
    return content[:2000]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped])
def test_the_last_two_checkpoints_are_kept_and_a_damaged_one_is_set_aside(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    checkpoints = Checkpoints(tmp_path, "mine")
    with checkpoints.held():
        assert checkpoints.latest() is None
        for step in (1, 2, 10):
            checkpoints.write(step, {"step": step, "weights": torch.ones(1000) * step})
        assert len(list(tmp_path.glob("step-*"))) == 2
        found = checkpoints.latest()
        assert found is not None
        assert found["step"] == 10
        assert not list(checkpoints.damaged())
        newest = max(tmp_path.glob("step-*"))
        newest.write_bytes(damage(newest.read_bytes()))
        before = checkpoints.latest()
        assert before is not None
        assert before["step"] == 2
        (said,) = checkpoints.damaged()
        assert newest.stem in said
        # What is written next is the newest, though its step was there before.
        checkpoints.write(3, {"step": 3})
        after = checkpoints.latest()
        assert after is not None
        assert after["step"] == 3


@pytest.mark.parametrize("raised", [OSError("too many open files"), MemoryError(), RuntimeError()])
def test_a_checkpoint_that_cannot_be_read_now_is_there_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise raised

    checkpoints = Checkpoints(tmp_path, "mine")
    with checkpoints.held():
        checkpoints.write(1, {"step": 1})
        with monkeypatch.context() as patch:
            patch.setattr(torch, "load", failing)
            with pytest.raises(type(raised)):
                checkpoints.latest()
        assert checkpoints.latest() == {"step": 1}


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, "mine").held():
        Checkpoints(tmp_path, "mine").write(1, {})
        with pytest.raises(ForeignCheckpoint, match="another recipe, seed, base or data"):
            Checkpoints(tmp_path, "another's").latest()


def test_two_processes_do_not_train_into_one_folder(tmp_path: Path) -> None:
    with (
        Checkpoints(tmp_path, "mine").held(),
        pytest.raises(Failure, match="another process trains"),
        Checkpoints(tmp_path, "mine").held(),
    ):
        pass


def test_checkpoints_that_the_disk_has_no_room_for_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="MiB for checkpoints"):
        Checkpoints(tmp_path, "mine").check_space(2**60)


def test_checkpoints_that_lie_there_make_room_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path, "mine")
    weights = torch.ones(100_000)
    state = {"copies": [weights.clone() for _ in range(6)]}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000))
    with checkpoints.held():
        with pytest.raises(Failure, match="MiB for checkpoints"):
            checkpoints.check_space(4 * len(weights))
        for step in (1, 2):
            checkpoints.write(step, state)
        checkpoints.check_space(4 * len(weights))


def test_a_checkpoint_of_other_threads_is_anothers(tmp_path: Path) -> None:
    hardware = choose_hardware("fp32", 1)
    with Checkpoints.beside(tmp_path / "out", {}, hardware).held():
        Checkpoints.beside(tmp_path / "out", {}, hardware).write(1, {})
        Checkpoints.beside(tmp_path / "out", {}, hardware).latest()
        for other in (replace(hardware, threads=2), replace(hardware, precision="bf16")):
            with pytest.raises(ForeignCheckpoint, match="--threads or number format"):
                Checkpoints.beside(tmp_path / "out", {}, other).latest()


def test_a_kill_while_checkpoints_are_removed_makes_no_second_run(
    training_folder: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = shutil.rmtree

    def killed_midway(folder: Path, *more: Any, **options: Any) -> None:
        if "checkpoints" in str(folder) and folder.exists():
            (folder / "mlflow-run").unlink()
            raise KeyboardInterrupt
        remove(folder, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed_midway)
        with pytest.raises(SystemExit):
            train("removed")
    train("removed")
    assert tracked_run(training_folder, "removed")[1].info.status == "FINISHED"
    assert not list(training_folder.glob("*removed.checkpoints*"))
