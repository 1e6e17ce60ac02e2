"""Models trained by `murmur model train` and asked by the engine that serves, each once."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from model_server.bundle import MANIFEST, open_bundle
from retrain.datasets.reading import read_labelled
from retrain.datasets.rows import LabelledText
from retrain.evaluation.predictions import Answers, ask, truth_of
from retrain.jobs.stored_labels import StoredLabel, write_labels
from schemas.failures import Failure
from schemas.people_labels import LabelOrigin
from schemas.private_files import make_private_folder

LABELS: Final = ("negative", "neutral", "positive")
TEST_OF_2017: Final = "SemEval2017-task4-test.subtask-A.english.txt"
SMALL: Final = ("--batch-texts", "32", "--max-tokens", "64")
"""Options of every training here: what they cost decides how soon the table is there."""

_FLIPPED: Final = 0.2


class CommandFailed(Failure):
    """A command of Murmur ended with an error."""


@dataclass(frozen=True)
class Workshop:
    """SemEval's label files, and a folder in which all that is made of them is kept."""

    semeval: Path
    kept: Path
    threads: int | None

    def files(self, *years: int) -> list[Path]:
        """Return the label files of the tasks of these years."""
        found = [file for year in years for file in sorted(self.semeval.glob(f"*{year}*"))]
        if not found:
            raise Failure(f"{self.semeval} has no label files of {', '.join(map(str, years))}")
        return found

    def rows(self, *files: Path) -> list[LabelledText]:
        """Return the labelled texts of label files."""
        return [row for file in files for row in read_labelled(file, labels=LABELS).rows]

    def model(self, arguments: Sequence[str]) -> None:
        """Run `murmur model …`; raise `CommandFailed` with its last line where it fails."""
        murmur = Path(sys.executable).with_name("murmur")
        environment = {**os.environ, "MURMUR_HOME": str(self.kept / "home")}
        done = subprocess.run(
            [str(murmur), "model", *arguments], env=environment, capture_output=True, check=False
        )
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
            raise CommandFailed(f"murmur model {arguments[0]}: {lines[-1]}")

    def train(self, name: str, labels: Sequence[Path], test: Sequence[Path], *options: str) -> Path:
        """Return the bundle of a model of this name, which is trained where it is not there.

        Texts that are nearly some of `test` are left out of the training.
        """
        bundle = self.kept / "bundles" / name
        if (bundle / MANIFEST).is_file():
            return bundle
        print(f"training {name}", file=sys.stderr)  # noqa: T201
        model = self.kept / "models" / name
        threads = ("--threads", str(self.threads)) if self.threads else ()
        named = [part for file in labels for part in ("--labels", str(file))]
        tests = [part for file in test for part in ("--test", str(file))]
        self.model(["train", *options, *SMALL, *threads, *named, *tests, "--out", str(model)])
        self.model(["export", str(model), "--out", str(bundle), "--any-cost"])
        return bundle

    def first_model(self) -> Path:
        """Return the bundle of a model that learned from the tasks of 2013 and 2014."""
        early, test = self.files(2013, 2014), self.files(2015, 2016, 2017)
        return self.train("champion", early, test, "--layers", "3", "--seed", "1")

    def flipped(self, files: Sequence[Path]) -> Path:
        """Return a label file of the same texts, of which a fifth has another label."""
        rng = random.Random(1)
        labels = []
        for row in self.rows(*files):
            others = [label for label in LABELS if label != row.label]
            label = rng.choice(others) if rng.random() < _FLIPPED else row.label
            labels.append(audit_of(row, label))
        out = make_private_folder(self.kept) / "flipped.csv"
        write_labels(out, labels)
        return out

    def answers(self, folder: Path, rows: Sequence[LabelledText]) -> Answers:
        """Return what a bundle answers to labelled texts; it is asked once."""
        bundle = open_bundle(folder)
        own = bundle.manifest.labels
        texts = [row.text for row in rows]
        named = "\0".join([bundle.identity.sha256, *texts]).encode(errors="replace")
        file = self.kept / "answers" / f"{hashlib.sha256(named).hexdigest()}.npy"
        if not file.is_file():
            print(f"asking {folder.name} about {len(rows):,} tweets", file=sys.stderr)  # noqa: T201
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, ask(bundle, texts))
        truth = truth_of(own, [row.label for row in rows])
        return Answers.of(own, truth, np.load(file)).in_order_of(LABELS)


def audit_of(row: LabelledText, label: str) -> StoredLabel:
    """Return a labelled text as a job reads it: a tweet that a person has audited."""
    number = row.id or f"{row.line}"
    return StoredLabel(
        root_id=number, tweet_id=number, text=row.text, label=label, origin=LabelOrigin.AUDIT
    )


def part_of(answers: Answers, places: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Answers:
    """Return the answers to the texts at these places, some of them more than once."""
    return Answers(
        answers.labels,
        answers.truth[places],
        answers.predicted[places],
        answers.confidence[places],
    )
