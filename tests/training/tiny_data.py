"""A base of a few thousand weights and label sets of our own, for tests that train."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

Train = Callable[..., dict[str, Any]]

WORDS = {
    "calm": "lake quiet soft slow rest tea".split(),
    "cross": "angry shout slam foot red bad".split(),
    "glad": "sun dance gift song win love".split(),
}
OTHERS = "the and then with over today again house road cat tree fast two my your we".split()


def write_labels(file: Path, *, rows: int, seed: int = 1, labels: tuple[str, ...] = ()) -> Path:
    """Write a CSV with ids; one word of each text tells its label."""
    draw = random.Random(seed)
    lines = ["id,text,label"]
    for number in range(rows):
        label = draw.choice(labels or ("calm", "cross", "cross"))
        words = [draw.choice(OTHERS) for _ in range(draw.randint(5, 12))]
        words.insert(draw.randrange(len(words)), draw.choice(WORDS[label]))
        lines.append(f"{number},{' '.join(words)},{label}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def tiny_base(folder: Path) -> Path:
    """Write a DistilBERT, 32 wide, with the default base's word pieces."""
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    from retrain.base_models.minilm import wheel_folder

    torch.manual_seed(0)
    config = DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=64)
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    shutil.copy(wheel_folder() / "tokenizer.json", folder)
    return folder


def training_command(folder: Path) -> Train:
    """Return `murmur model train` with the label files and the base of a folder, as a function."""

    def run(out: str, *more: str, labels: str = "labels.csv") -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            trained(folder, out, "--json", *more, labels=labels).stdout
        )
        return document

    return run


def trained(folder: Path, out: str, *more: str, labels: str = "labels.csv") -> Result:
    """Run that command, and return what it wrote."""
    from deploy.cli import murmur

    arguments = ["model", "train", "--labels", str(folder / labels), "--out", str(folder / out)]
    arguments += ["--base", str(folder / "tiny"), "--threads", "1"]
    arguments += ["--learning-rate", "0.01", "--batch-texts", "32"]
    arguments += ["--evaluations-per-epoch", "4"]
    # What is said twice counts as it is said last.
    environment = {"MURMUR_HOME": str(folder / "home")}
    result = CliRunner(env=environment).invoke(murmur, [*arguments, *more])
    if result.exception is not None:
        raise result.exception
    return result


def tracked_run(folder: Path, name: str) -> tuple[Any, Any]:
    """Return MLflow's client and its one run of this name, of the command above."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'home' / 'retrain' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("murmur")
    (run,) = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{name}'")
    return client, run
