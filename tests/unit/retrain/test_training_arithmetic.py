"""Training's arithmetic without torch: batches, figures, biases, the recipe's options."""

from typing import get_args

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import log_softmax

from retrain.many_files_option import ManyFilesCommand
from retrain.training.batches import epoch_batches
from retrain.training.class_biases import fit_biases
from retrain.training.figures import figures, macro_recall
from retrain.training.options import recipe_options
from retrain.training.recipe import Objective, Recipe, quick

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


def guesses(draw: np.random.Generator, labels: np.ndarray, apart: float) -> np.ndarray:
    """Return the logits of a calibrated model; the right label leads by `apart` in the mean."""
    logits: np.ndarray = draw.normal(size=(len(labels), 3)) * apart**0.5
    logits += apart * np.eye(3)[labels]
    return logits


@pytest.mark.parametrize("objective", ["macro_recall", "macro_f1"])
def test_biases_undo_what_was_added_to_logits(objective: Objective) -> None:
    draw = np.random.default_rng(1)
    labels = draw.choice(3, 3000, p=[0.2, 0.5, 0.3])
    logits = guesses(draw, labels, 1.5)
    before = np.array(fit_biases(logits, labels, objective).biases)
    added = np.array([0.9, -0.2, -0.7])
    assert np.allclose(
        fit_biases(logits + added, labels, objective).biases, before - added, atol=0.04
    )
    assert np.allclose(fit_biases(3 * logits, labels, objective).biases, 3 * before, atol=0.1)


def test_the_fitted_loss_is_that_of_the_model_with_scale_and_biases_put_right() -> None:
    draw = np.random.default_rng(1)
    labels = draw.choice(3, 30_000, p=[0.2, 0.5, 0.3])
    logits = guesses(draw, labels, 1.5)
    of_texts = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    best = np.mean([of_texts[labels == label].mean() for label in range(3)])
    crooked = 3 * logits + np.array([0.9, -0.2, -0.7])
    assert fit_biases(crooked, labels, "macro_recall").log_loss == pytest.approx(best, abs=2e-3)


def test_biases_lift_macro_recall_on_texts_that_they_were_not_fitted_on() -> None:
    draw = np.random.default_rng(2)
    labels = draw.choice(3, 8000, p=[0.15, 0.6, 0.25])
    # What plain cross-entropy teaches: rare labels are held back by their share.
    logits = guesses(draw, labels, 1.5) + np.log([0.15, 0.6, 0.25])
    biases = fit_biases(logits[:4000], labels[:4000], "macro_recall").biases
    gained = macro_recall(logits[4000:] + biases, labels[4000:])
    assert gained > macro_recall(logits[4000:], labels[4000:]) + 0.03


@given(
    logits=arrays.arrays(np.float64, (12, 4), elements=st.floats(-9, 9)),
    labels=arrays.arrays(np.int64, 12, elements=st.integers(0, 3)),
    objective=st.sampled_from([*get_args(Objective)]),
)
def test_biases_of_few_texts_stay_small(
    logits: np.ndarray, labels: np.ndarray, objective: Objective
) -> None:
    biases = np.array(fit_biases(logits, labels, objective).biases)
    assert np.abs(biases).max() <= 2
    assert abs(biases.mean()) < 1e-3


def test_biases_of_few_texts_cost_next_to_nothing_where_none_are_needed() -> None:
    draw = np.random.default_rng(3)
    gained = []
    for _ in range(20):
        few, many = np.repeat(np.arange(3), 3), draw.integers(0, 3, 3000)
        logits = guesses(draw, many, 1.5)
        biases = fit_biases(guesses(draw, few, 1.5), few, "macro_recall").biases
        gained.append(macro_recall(logits + biases, many) - macro_recall(logits, many))
    assert np.mean(gained) > -0.005


def test_a_label_that_is_always_overshot_gets_a_lower_bias() -> None:
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 3, 3000)
    logits = draw.normal(size=(3000, 3)) + 1.5 * np.eye(3)[labels] + np.array([1.0, 0, 0])
    biases = fit_biases(logits, labels, "macro_recall").biases
    assert biases[0] - biases[1] == pytest.approx(-1, abs=0.35)
    assert biases[2] - biases[1] == pytest.approx(0, abs=0.35)


def test_a_label_without_texts_gets_no_bias() -> None:
    draw = np.random.default_rng(3)
    labels = draw.choice([0, 2], 500)
    biases = fit_biases(guesses(draw, labels, 1.5), labels, "macro_recall").biases
    assert biases[1] == 0
    assert fit_biases(np.ones((5, 3)), np.zeros(5, dtype=np.int64), "macro_f1").biases == (0, 0, 0)


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


def test_a_quick_recipe_is_short_and_passes_over_few_texts_more_often() -> None:
    assert quick(Recipe(), 1200, ()).epochs == 1
    assert quick(Recipe(), 250, ()).epochs == 4
    assert quick(Recipe(epochs=2), 250, {"epochs"}).epochs == 2
    assert quick(Recipe(epochs=9), 250, {"epochs"}).epochs == 4
    assert quick(Recipe(max_tokens=20), 250, {"max_tokens"}).max_tokens == 20
    assert quick(Recipe(), 250, ()).max_tokens < Recipe().max_tokens


def test_a_quick_recipe_keeps_the_figures_that_a_person_chose() -> None:
    assert quick(Recipe(), 1200, ()).learning_rate > Recipe().learning_rate
    assert quick(Recipe(), 1200, {"learning_rate"}).learning_rate == Recipe().learning_rate


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
