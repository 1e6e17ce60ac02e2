"""Checkpoints: where a killed training goes on, as if nothing had happened."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import torch

from model_server.bundle import sha256_of
from retrain.training.hardware import Hardware
from schemas.failures import Failure

_KEPT: Final = 2
_PATTERN: Final = "step-*-*.pt"
"""The step, and the SHA-256 of the file's content."""

_DAMAGED: Final = ".damaged"
_LARGEST_IN_WEIGHTS: Final = 6
"""Weights, averages, best weights, AdamW's two moments, and one to spare."""


class ForeignCheckpoint(Failure):
    """A checkpoint of a training with another recipe, seed, base, data or hardware."""


class Checkpoints:
    """The checkpoints of one training, in a folder of their own; the last two are kept.

    A checkpoint is there whole or not at all: it is written beside its place, flushed to the disk,
    and renamed.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self._fingerprint = fingerprint

    @classmethod
    def beside(cls, out: Path, described: Mapping[str, Any], hardware: Hardware) -> "Checkpoints":
        """Return those of a training into `out`; `described` is what no resumption may change.

        Neither may what the same figures depend on: threads, number format and kind of device.
        """
        exactly = [hardware.threads, hardware.precision, hardware.device.type]
        encoded = msgspec.json.encode([described, exactly], order="sorted")
        fingerprint = hashlib.sha256(encoded).hexdigest()
        return cls(out.with_name(f"{out.name}.checkpoints"), fingerprint)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out; raise `Failure` where one trains into the same folder.

        Raises `ForeignCheckpoint` where another training's checkpoints lie here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Failure(f"another process trains with {self.folder}") from error
            self._newest(mapped=True)
            yield

    def check_space(self, weights_bytes: int) -> None:
        """Raise `Failure` where the disk has no room for the checkpoints to come."""
        needed = (_KEPT + 1) * _LARGEST_IN_WEIGHTS * weights_bytes
        # What lies there makes room as it is replaced.
        free = shutil.disk_usage(self.folder).free + sum(
            file.stat().st_size for file in self.folder.iterdir() if file.suffix != _DAMAGED
        )
        if free < needed:
            raise Failure(
                f"{self.folder} needs {needed >> 20} MiB for checkpoints, {free >> 20} are free"
            )

    def write(self, step: int, state: dict[str, Any]) -> None:
        """Keep a state, and no more than the one before it."""
        unfinished = self.folder / "unfinished"
        with unfinished.open("wb") as file:
            torch.save({"fingerprint": self._fingerprint, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / f"step-{step:09d}-{sha256_of(unfinished)}.pt")
        for old in self._files()[:-_KEPT]:
            old.unlink()

    def latest(self) -> dict[str, Any] | None:
        """Return the newest state, or None; raise `ForeignCheckpoint` for another training's.

        One that was damaged after it was written is set aside, and the one before it serves. One
        that cannot be read now, for want of memory perhaps, stays, and what was raised is raised.
        """
        return self._newest(mapped=False)

    def _newest(self, *, mapped: bool) -> dict[str, Any] | None:
        """Return `latest`; mapped, its weights are only read where they are looked at."""
        for file in reversed(self._files()):
            if sha256_of(file) != file.stem.rpartition("-")[2]:
                # In its place it would count as the newest of the two.
                file.rename(file.with_suffix(_DAMAGED))
                continue
            state: dict[str, Any] = torch.load(
                file, map_location="cpu", weights_only=True, mmap=mapped
            )
            if state.pop("fingerprint") != self._fingerprint:
                raise ForeignCheckpoint(
                    f"{self.folder} is of a training with another recipe, seed, base or data, "
                    f"--threads or number format: remove it, or name another --out"
                )
            return state
        return None

    def damaged(self) -> Iterator[str]:
        """Yield a sentence for each checkpoint that was set aside."""
        for file in sorted(self.folder.glob(f"*{_DAMAGED}")):
            yield f"{file} was damaged after it was written: what comes before it serves"

    def remove(self) -> None:
        """Remove all of it, the training is over: at a kill it is there whole or not at all.

        What a removal that was killed has left goes too.
        """
        aside = self.folder.with_name(f".{self.folder.name}.removed")
        shutil.rmtree(aside, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(_PATTERN))
