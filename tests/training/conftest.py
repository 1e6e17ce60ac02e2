"""A folder to train in, and the command that trains there, for each file that asks for them."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny_data import Train, tiny_base, training_command, write_labels


@pytest.fixture(scope="module")
def training_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    tiny_base(folder / "tiny")
    write_labels(folder / "labels.csv", rows=700)
    write_labels(folder / "test.csv", rows=60, seed=7)
    return folder


@pytest.fixture(scope="module")
def train(training_folder: Path) -> Train:
    return training_command(training_folder)


@pytest.fixture(scope="module")
def first(train: Train) -> dict[str, Any]:
    return train("first")
