"""The temperature makes confidence mean what it says."""

import numpy as np
import pytest

from model_server.engine import softmax
from retrain.evaluation.answers import Answers
from retrain.evaluation.evaluate import figures_alone
from retrain.export.temperature import COLDEST, HOTTEST, best_temperature


@pytest.mark.parametrize("overconfidence", [0.03, 1.0, 3.0])
@pytest.mark.parametrize("labels", [2, 20])
def test_it_takes_back_what_the_logits_were_multiplied_with(
    overconfidence: float, labels: int
) -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 1.5, (20_000, labels))
    honest = softmax(logits)
    truth = (honest.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    found = best_temperature(softmax(logits * overconfidence), truth)
    assert found == pytest.approx(overconfidence, rel=0.05)
    names = tuple(str(n) for n in range(labels))
    calibrated = Answers.of(names, truth, softmax(logits * overconfidence / found))
    error = figures_alone(calibrated, seed=1, resamples=20)[0]["calibration_error"].value
    assert error is not None
    assert error < 0.015
    assert np.array_equal(calibrated.predicted, honest.argmax(axis=1))


def test_a_few_answers_that_are_all_right_do_not_become_certain() -> None:
    confidence = np.linspace(0.6, 0.95, 90)
    answers = np.column_stack([confidence, 1 - confidence])
    found = best_temperature(answers, np.zeros(90, dtype=np.int64))
    assert 0.1 < found < 1
    assert softmax(np.log([[0.6, 0.4]]) / found).max() < 0.99


def test_answers_that_are_all_right_and_certain_end_at_a_bound() -> None:
    certain = np.tile([[1.0, 0.0]], (10, 1))
    found = best_temperature(certain, np.zeros(10, dtype=np.int64))
    assert COLDEST <= found <= HOTTEST
    assert np.isfinite(found)
