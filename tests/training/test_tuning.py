"""Figures of the recipe, searched: resumed after a kill, and repeated by the command it prints."""

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from click.testing import CliRunner

from retrain.training.recipe import Recipe
from retrain.tuning.search_space import as_options, suggested
from tests.training.tiny_data import tracked_run


def murmur_json(folder: Path, *arguments: str) -> dict[str, Any]:
    from deploy.cli import murmur

    environment = {"MURMUR_HOME": str(folder / "home")}
    result = CliRunner(env=environment).invoke(murmur, [*arguments, "--json"])
    if result.exception is not None:
        raise result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def tuning(folder: Path, *more: str) -> dict[str, Any]:
    return murmur_json(
        folder,
        *("model", "tune", "--labels", str(folder / "labels.csv"), "--out", str(folder / "tuning")),
        *("--base", str(folder / "tiny"), "--threads", "1", "--batch-texts", "32"),
        *("--epochs", "1", "--learning-rate", "0.01", "--evaluations-per-epoch", "4"),
        *more,
    )


def test_a_tuning_goes_on_where_it_was_killed_and_its_command_repeats_the_best_figures(
    training_folder: Path,
) -> None:
    folder = training_folder
    first = tuning(folder, "--trials", "1")["tuned"]
    assert (first["finished"], first["of_the_defaults"]) == (1, first["score"])

    def study() -> optuna.Study:
        return optuna.load_study(
            storage=f"sqlite:///{folder / 'tuning' / 'study.db'}", study_name="tuning"
        )

    # What a process leaves that was killed at work.
    killed = study().ask()
    suggested(killed, Recipe(), ("epochs", "learning_rate"))
    found = tuning(folder, "--trials", "2")
    tuned = found["tuned"]
    assert (tuned["finished"] + tuned["pruned"], tuned["unfinished"]) == (2, 0)
    assert study().trials[-1].params == killed.params
    assert tuned["score"] == max(trial.value for trial in study().trials if trial.value is not None)
    assert tuned["score"] >= first["score"]
    assert not list((folder / "tuning").glob("trial-*"))

    client, parent = tracked_run(folder, "tuning")
    children = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    assert len(children) == 2
    assert parent.data.metrics["best"] == tuned["score"]

    trained = murmur_json(folder, *found["train"])["trained"]
    assert trained["figures"]["macro_recall"] == pytest.approx(tuned["score"])

    with pytest.raises(Exception, match="holds a tuning of other data"):
        tuning(folder, "--seed", "2")


def test_what_is_named_is_not_searched_and_options_repeat_a_figure_to_its_last_digit() -> None:
    trial = optuna.trial.FixedTrial(
        {
            "learning_rate": 3.14159e-5,
            "epochs": 3,
            "prior_strength": 0.98765,
            "word_dropout": 0.123456,
        }
    )
    recipe = suggested(trial, Recipe(label_smoothing=0.01), ("label_smoothing",))
    assert (recipe.learning_rate, recipe.epochs, recipe.label_smoothing) == (3.14e-5, 3, 0.01)
    options = as_options(recipe, ("label_smoothing",))
    named = dict(zip(options[::2], options[1::2], strict=True))
    assert "--label-smoothing" not in named
    assert float(named["--learning-rate"]) == recipe.learning_rate
    assert float(named["--word-dropout"]) == recipe.word_dropout == 0.123
