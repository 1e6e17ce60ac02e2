"""The temperature makes confidence mean what it says."""

import numpy as np
import pytest

from model_server.engine import softmax
from retrain.evaluation.answers import Answers
from retrain.evaluation.evaluate import figures_alone
from retrain.export.temperature import COLDEST, HOTTEST, best_temperatures


@pytest.mark.parametrize("overconfidence", [0.03, 1.0, 3.0])
@pytest.mark.parametrize("labels", [2, 20])
def test_it_takes_back_what_the_logits_were_multiplied_with(
    overconfidence: float, labels: int
) -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 1.5, (20_000, labels))
    honest = softmax(logits)
    truth = (honest.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    found = best_temperatures(softmax(logits * overconfidence), truth)
    assert found == pytest.approx([overconfidence] * labels, rel=0.15)
    assert np.mean(found) == pytest.approx(overconfidence, rel=0.05)
    names = tuple(str(n) for n in range(labels))
    of_answers = np.array(found)[logits.argmax(axis=1), np.newaxis]
    calibrated = Answers.of(names, truth, softmax(logits * overconfidence / of_answers))
    error = figures_alone(calibrated, seed=1, resamples=20)[0]["calibration_error"].value
    assert error is not None
    assert error < 0.015
    assert np.array_equal(calibrated.predicted, honest.argmax(axis=1))


def test_a_few_answers_that_are_all_right_do_not_become_certain() -> None:
    confidence = np.linspace(0.6, 0.95, 90)
    answers = np.column_stack([confidence, 1 - confidence])
    found, of_no_answer = best_temperatures(answers, np.zeros(90, dtype=np.int64))
    assert 0.1 < found < 1
    assert of_no_answer == pytest.approx(found, rel=0.1)
    assert softmax(np.log([[0.6, 0.4]]) / found).max() < 0.99


def test_answers_that_are_all_right_and_certain_end_at_a_bound() -> None:
    certain = np.tile([[1.0, 0.0]], (10, 1))
    found = best_temperatures(certain, np.zeros(10, dtype=np.int64))
    assert all(COLDEST <= temperature <= HOTTEST for temperature in found)


def test_labels_that_a_model_is_too_sure_of_get_higher_temperatures() -> None:
    rng = np.random.default_rng(6)
    logits = rng.normal(0, 1.5, (20_000, 3))
    truth = (softmax(logits).cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    tilted = logits + np.array([0.7, 0.0, 0.0])
    first, *others = best_temperatures(softmax(tilted), truth)
    assert first > 1.1
    assert all(other < 0.95 for other in others)


def test_a_label_of_few_answers_stays_near_the_temperature_of_all() -> None:
    rng = np.random.default_rng(7)
    logits = rng.normal(0, 1.5, (2_000, 3)) - [0.0, 0.0, 9.0]
    logits[:5] = [0.0, 0.0, 1.5]
    truth = (softmax(logits).cumsum(axis=1) < rng.random((2_000, 1))).sum(axis=1)
    truth[:5] = 0
    found = best_temperatures(softmax(logits), truth)
    assert 1 < found[2] / found[0] < 1.6
