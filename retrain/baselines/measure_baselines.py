"""Fitting the baselines and measuring them as the transformer is measured."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model_server.cleaning import CLEANING
from retrain.baselines.models import BASELINES
from retrain.datasets.prepare_dataset import Prepared
from retrain.datasets.reading import label_files, read_labelled
from retrain.datasets.splitting import Example
from retrain.tracking import Run, commit
from retrain.training.figures import figures

Labels = npt.NDArray[np.int64]


class Measured(Struct, frozen=True, kw_only=True):
    """A model's figures on the validation split and on the test files, and its time to fit."""

    name: str
    validation: dict[str, float]
    test: dict[str, float]
    fit_s: float | None


def test_examples(files: Sequence[Path], labels: Sequence[str], cleaning: str) -> list[Example]:
    """Read the test files as they are: no repeat is taken out of them."""
    clean = CLEANING[cleaning]
    return [
        Example(row.id, clean(row.text), row.label)
        for path in files
        for file in label_files(path)
        for row in read_labelled(file, labels=labels, split="test").rows
    ]


def measure(
    prepared: Prepared,
    test: Sequence[Example],
    *,
    seed: int,
    start_run: Callable[[str], Run],
    cleaning: str,
) -> Iterator[Measured]:
    """Yield each baseline when it is measured and written down in a run of its own."""
    texts = [example.text for example in prepared.training]
    labels = _numbers(prepared.training, prepared.labels)
    for name, make in BASELINES.items():
        with start_run(name).under_way() as run:
            model = make(seed)
            began = time.perf_counter()
            model.fit(texts, labels)
            fit_s = time.perf_counter() - began
            measured = Measured(
                name=name,
                validation=figures_of(model.predict, prepared.validation, prepared.labels),
                test=figures_of(model.predict, test, prepared.labels),
                fit_s=round(fit_s, 1),
            )
            write_down(run, measured, prepared, {"seed": seed, "cleaning": cleaning})
        yield measured


def write_down(
    run: Run, measured: Measured, prepared: Prepared, parameters: Mapping[str, object]
) -> None:
    """Write figures down under the names that all models of the table have in MLflow."""
    run.parameters({"baseline": measured.name, "labels": prepared.labels, **parameters})
    run.parameters({"data_sha256": prepared.sha256, "commit": commit()})
    run.document("data.json", prepared.data_report.as_json())
    run.figures({f"validation_{name}": value for name, value in measured.validation.items()})
    run.figures({f"test_{name}": value for name, value in measured.test.items()})


def figures_of(
    predict: Callable[[list[str]], Labels], examples: Sequence[Example], labels: Sequence[str]
) -> dict[str, float]:
    """Return the figures of what `predict` says, in numbers of labels, of cleaned texts."""
    votes = np.eye(len(labels))[predict([example.text for example in examples])]
    return figures(votes, _numbers(examples, labels))


def _numbers(examples: Sequence[Example], labels: Sequence[str]) -> Labels:
    number = {label: place for place, label in enumerate(labels)}
    return np.array([number[example.label] for example in examples], dtype=np.int64)
