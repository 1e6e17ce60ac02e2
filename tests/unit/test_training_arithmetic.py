"""Training's arithmetic without torch: batches, figures, biases, the recipe's options."""

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from retrain.many_files import ManyFilesCommand
from retrain.training.batches import epoch_batches
from retrain.training.biases import Score, seek_biases
from retrain.training.figures import OBJECTIVES, figures, macro_recall
from retrain.training.options import recipe_options
from retrain.training.recipe import Recipe, quick

LENGTHS = st.lists(st.integers(1, 96), min_size=1, max_size=400)


@given(lengths=LENGTHS, batch_texts=st.integers(1, 40), seed=st.integers(0, 9))
def test_an_epoch_has_every_text_once_and_is_the_same_for_a_seed(
    lengths: list[int], batch_texts: int, seed: int
) -> None:
    batches = epoch_batches(lengths, batch_texts=batch_texts, seed=seed, epoch=3)
    again = epoch_batches(lengths, batch_texts=batch_texts, seed=seed, epoch=3)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert max(map(len, batches)) <= batch_texts
    assert len(batches) == -(-len(lengths) // batch_texts)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]


def test_epochs_and_seeds_shuffle_anew_and_batches_need_little_padding() -> None:
    lengths = np.random.default_rng(0).integers(5, 90, 4000).tolist()
    first, second, other = (
        epoch_batches(lengths, batch_texts=32, seed=seed, epoch=epoch)
        for seed, epoch in ((1, 0), (1, 1), (2, 0))
    )
    texts = [set(map(frozenset, map(np.ndarray.tolist, epoch))) for epoch in (first, second, other)]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    padded = sum(len(batch) * max(lengths[text] for text in batch) for batch in first)
    assert padded < 1.1 * sum(lengths)


def test_macro_recall_weighs_all_labels_alike() -> None:
    logits = np.array([[1.0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    assert macro_recall(logits, np.array([0, 0, 0, 1])) == 0.5
    found = figures(logits, np.array([0, 0, 0, 1]))
    assert found["accuracy"] == 0.75
    assert found["macro_f1"] == pytest.approx((6 / 7 + 0) / 2)


@given(
    hundredths=arrays.arrays(np.int64, (30, 3), elements=st.integers(-400, 400)),
    labels=arrays.arrays(np.int64, 30, elements=st.integers(0, 2)),
    score=st.sampled_from([*OBJECTIVES.values()]),
)
def test_biases_never_lower_the_figure_that_they_were_sought_for(
    hundredths: np.ndarray, labels: np.ndarray, score: Score
) -> None:
    # No bias of the grid makes two labels alike, which rounding would decide.
    logits = hundredths / 100 + np.array([0, 0.0033, 0.0066])
    biases = np.array(seek_biases(logits, labels, score))
    assert score(logits + biases, labels) >= score(logits, labels) - 1e-9
    assert abs(biases.mean()) < 1e-3


def test_a_label_that_is_always_overshot_gets_a_lower_bias() -> None:
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 3, 3000)
    logits = draw.normal(size=(3000, 3)) + 1.5 * np.eye(3)[labels] + np.array([1.0, 0, 0])
    biases = seek_biases(logits, labels)
    assert biases[0] - biases[1] == pytest.approx(-1, abs=0.35)
    assert biases[2] - biases[1] == pytest.approx(0, abs=0.35)


def test_every_figure_of_the_recipe_is_an_option_with_its_default() -> None:
    found: list[Recipe] = []

    @click.command()
    @recipe_options()
    def command(**figures: object) -> None:
        found.append(Recipe(**figures))  # type: ignore[arg-type]

    run = CliRunner().invoke
    assert run(command, []).exit_code == 0
    assert (
        run(command, "--lora 4 --no-class-biases --epochs 7 --precision fp32".split()).exit_code
        == 0
    )
    assert found[0] == Recipe()
    assert found[1] == Recipe(lora_rank=4, class_biases=False, epochs=7, precision="fp32")
    assert run(command, ["--label-smoothing", "1"]).exit_code == 2
    assert run(command, ["--epochs", "0"]).exit_code == 2


def test_a_quick_recipe_is_one_epoch_of_short_texts() -> None:
    assert quick(Recipe(epochs=9)).epochs == 1
    assert quick(Recipe(max_tokens=20)).max_tokens == 20


def test_an_option_takes_one_file_after_the_other() -> None:
    found: list[object] = []

    @click.command(cls=ManyFilesCommand)
    @click.option("--labels", multiple=True)
    @click.option("--test", multiple=True)
    @click.option("--seed", type=int)
    @click.option("--quick", is_flag=True)
    def command(**values: object) -> None:
        found.append(values)

    arguments = "--labels a b --labels c --quick --test d e --seed 3".split()
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert found == [{"labels": ("a", "b", "c"), "test": ("d", "e"), "seed": 3, "quick": True}]
    assert CliRunner().invoke(command, ["--quick", "stray"]).exit_code == 2
