"""`murmur model pretrain`: a base that has guessed hidden words, for trainings to start from."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from rich.console import Console
from safetensors.torch import load_file

from deploy.cli import murmur
from retrain.base_models.loading import load_base
from retrain.datasets.prepare_dataset import Sources, prepare
from retrain.pretraining.masked_lm import guesser_of
from retrain.pretraining.masking import hide_words
from retrain.pretraining.run_pretraining import PretrainingSpec, pretrain
from retrain.training.progress_display import Display
from retrain.training.recipe import Recipe
from schemas.failures import Failure
from tests.training.tiny_data import tiny_base, write_labels

RECIPE = Recipe(
    epochs=3,
    batch_texts=32,
    learning_rate=0.01,
    precision="fp32",
    patience=0,
    evaluations_per_epoch=1,
)


class Interrupted(Exception):
    """What a kill is to this test."""


class FragileDisplay(Display):
    """Ends a training at a step."""

    def __init__(self, at_step: int) -> None:
        super().__init__(Console(quiet=True))
        self._at_step = at_step

    def stepped(self, step: int, loss: float, learning_rate: float) -> None:
        super().stepped(step, loss, learning_rate)
        if step == self._at_step:
            raise Interrupted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretraining")
    tiny_base(folder / "tiny")
    write_labels(folder / "labels.csv", rows=600)
    return folder


def run(folder: Path, out: str, *, at_step: int = -1, **changed: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "base": str(folder / "tiny"),
        "recipe": RECIPE,
        "seed": 1,
        "out": folder / out,
        "home": folder / "home",
        "threads": 1,
        "checkpoint_every_s": 0.0,
    }
    prepared = prepare(Sources(labels=[folder / "labels.csv"]))
    return pretrain(PretrainingSpec(**{**spec, **changed}), prepared, FragileDisplay(at_step))


@pytest.fixture(scope="module")
def pretrained(folder: Path) -> dict[str, Any]:
    return run(folder, "pretrained")


def test_only_words_are_hidden_and_most_become_the_mask() -> None:
    ids = torch.arange(10, 60).repeat(400, 1)
    may_hide = ids % 2 == 0
    shown, hidden = hide_words(
        ids, may_hide, mask_id=3, words=1000, random=torch.Generator().manual_seed(1)
    )
    assert not (hidden & ~may_hide).any()
    assert (shown == ids)[~hidden].all()
    assert hidden.sum() / may_hide.sum() == pytest.approx(0.15, abs=0.02)
    assert (shown == 3)[hidden].float().mean() == pytest.approx(0.8, abs=0.04)
    assert (shown == ids)[hidden].float().mean() == pytest.approx(0.1, abs=0.03)


def test_it_learns_which_words_there_are(pretrained: dict[str, Any]) -> None:
    # Of 30,522 words a text here has one of 28.
    assert pretrained["figures"]["masked_accuracy"] > 0.03


def test_guesses_are_compared_with_the_word_embeddings_themselves(folder: Path) -> None:
    base = load_base(str(folder / "tiny"), ["a", "b"], max_tokens=32, cache=folder)
    guesser = guesser_of(base.model)
    embeddings = base.model.distilbert.embeddings.word_embeddings.weight
    assert guesser.vocab_projector.weight is embeddings


def test_the_folder_is_a_base_with_other_layers_and_a_head_for_each_seed(
    folder: Path, pretrained: dict[str, Any]
) -> None:
    assert pretrained["figures"]["steps"] > 0
    heads = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        base = load_base(str(folder / "pretrained"), ["a", "b"], max_tokens=32, cache=folder)
        heads.append(base.model.classifier.weight)
    written = load_file(folder / "pretrained" / "model.safetensors")
    before = load_file(folder / "tiny" / "model.safetensors")
    name = "transformer.layer.1.ffn.lin1.weight"
    assert torch.equal(base.model.distilbert.state_dict()[name], written[name])
    assert not torch.equal(before[f"distilbert.{name}"], written[name])
    assert not torch.equal(*heads)


def test_interrupted_it_goes_on_and_ends_with_the_same_weights(
    folder: Path, pretrained: dict[str, Any]
) -> None:
    for at_step in (7, 30):
        with pytest.raises(Interrupted):
            run(folder, "interrupted", at_step=at_step)
        assert not (folder / "interrupted").exists()
    found = run(folder, "interrupted")["figures"]
    assert found["masked_accuracy"] == pretrained["figures"]["masked_accuracy"]
    weights = [
        (folder / out / "model.safetensors").read_bytes() for out in ("pretrained", "interrupted")
    ]
    assert weights[0] == weights[1]


def test_the_command_learns_from_no_text_of_test_or_validation(folder: Path) -> None:
    lines = (folder / "labels.csv").read_text().splitlines()
    (folder / "test.csv").write_text("\n".join(lines[:101]) + "\n")
    arguments = [
        "model",
        "pretrain",
        "--labels",
        str(folder / "labels.csv"),
        "--test",
        str(folder / "test.csv"),
        "--base",
        str(folder / "tiny"),
        "--out",
        str(folder / "told"),
        "--epochs",
        "1",
        "--batch-texts",
        "50",
        "--threads",
        "1",
        "--json",
    ]
    environment = {"MURMUR_HOME": str(folder / "home")}
    result = CliRunner(env=environment).invoke(murmur, arguments, catch_exceptions=False)
    document = json.loads(result.stdout)
    left = sum(document["data"]["training"].values())
    assert document["data"]["removed"]["a text of test"] == 100
    steps = document["pretrained"]["figures"]["steps"]
    assert steps == math.ceil(left / 50)

    arguments.remove("--json")
    shown = CliRunner(env=environment).invoke(murmur, arguments, catch_exceptions=False)
    assert f"steps {steps}" in " ".join(shown.stdout.split())
    assert shown.stdout.endswith(
        f"in {folder / 'told'}; murmur model train … --base {folder}/told\n"
    )
    assert "told already holds the result of this pretraining" in " ".join(shown.stderr.split())


def test_a_finished_one_is_not_repeated_and_another_takes_not_its_place(
    folder: Path, pretrained: dict[str, Any]
) -> None:
    assert run(folder, "pretrained", at_step=1) == pretrained
    with pytest.raises(Failure, match="something else"):
        run(folder, "pretrained", seed=2)
