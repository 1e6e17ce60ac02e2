"""Temperatures and powers make confidence mean what it says."""

import numpy as np
import pytest

from model_server.calibration import calibrated, softmax
from retrain.evaluation.evaluate import figures_alone
from retrain.evaluation.predictions import Answers
from retrain.export.calibrating import COLDEST, HOTTEST, Calibration, calibrate


def answered_with(
    rng: np.random.Generator, texts: int, labels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits that mean what they say, and what was true."""
    logits = rng.normal(0, 1.5, (texts, labels))
    return logits, drawn(rng, softmax(logits))


def drawn(rng: np.random.Generator, probabilities: np.ndarray) -> np.ndarray:
    below = probabilities.cumsum(axis=1) < rng.random((len(probabilities), 1))
    return np.array(below.sum(axis=1))


def calibration_error(
    logits: np.ndarray, truth: np.ndarray, found: tuple[Calibration, ...]
) -> float:
    figures = [each.temperature for each in found], [each.lead_power for each in found]
    probabilities = softmax(calibrated(logits, *figures))
    names = tuple(str(number) for number in range(logits.shape[1]))
    answers = Answers.of(names, truth, probabilities)
    assert np.array_equal(answers.predicted, logits.argmax(axis=1))
    error = figures_alone(answers, seed=1, resamples=20)[0]["calibration_error"].value
    assert error is not None
    return error


@pytest.mark.parametrize("overconfidence", [0.03, 1.0, 3.0])
@pytest.mark.parametrize("labels", [2, 20])
def test_it_takes_back_what_the_logits_were_multiplied_with(
    overconfidence: float, labels: int
) -> None:
    logits, truth = answered_with(np.random.default_rng(5), 20_000, labels)
    found = calibrate(softmax(logits * overconfidence), truth)
    temperatures = [each.temperature for each in found]
    assert temperatures == pytest.approx([overconfidence] * labels, rel=0.2)
    assert np.mean(temperatures) == pytest.approx(overconfidence, rel=0.05)
    assert [each.lead_power for each in found] == pytest.approx([1] * labels, abs=0.3)
    assert calibration_error(logits * overconfidence, truth, found) < 0.015


def test_it_takes_back_that_long_leads_say_more_than_short_ones() -> None:
    rng = np.random.default_rng(8)
    logits = rng.normal(0, 1.5, (20_000, 3))
    truth = drawn(rng, softmax(calibrated(logits, 1.3, (2.0, 1.0, 0.7))))
    found = calibrate(softmax(logits), truth)
    assert [each.temperature for each in found] == pytest.approx([1.3] * 3, rel=0.1)
    assert [each.lead_power for each in found] == pytest.approx([2, 1, 0.7], rel=0.1)


def test_labels_that_were_raised_on_purpose_become_less_sure_and_others_surer() -> None:
    rng = np.random.default_rng(6)
    logits, truth = answered_with(rng, 20_000, 3)
    raised = logits + np.array([0.7, 0.0, 0.0])
    found = calibrate(softmax(raised), truth)
    assert found[0].lead_power > 1.2
    assert all(each.lead_power < 0.95 for each in found[1:])
    mended = calibration_error(raised, truth, found)
    assert mended < calibration_error(raised, truth, (Calibration(),) * 3) * 2 / 3


def test_a_few_answers_that_are_all_right_do_not_become_certain() -> None:
    confidence = np.linspace(0.6, 0.95, 90)
    answers = np.column_stack([confidence, 1 - confidence])
    found, of_no_answer = calibrate(answers, np.zeros(90, dtype=np.int64))
    assert 0.1 < found.temperature < 1
    assert of_no_answer.temperature == pytest.approx(found.temperature, rel=0.1)
    assert of_no_answer.lead_power == 1
    alike = calibrated(np.log([[0.6, 0.4]]), found.temperature, found.lead_power)
    assert softmax(alike).max() < 0.99


def test_answers_that_are_all_right_and_certain_end_at_a_bound() -> None:
    certain = np.tile([[1.0, 0.0]], (10, 1))
    found = calibrate(certain, np.zeros(10, dtype=np.int64))
    assert all(COLDEST <= each.temperature <= HOTTEST for each in found)


def test_a_label_of_few_answers_stays_near_the_temperature_of_all() -> None:
    rng = np.random.default_rng(7)
    logits = rng.normal(0, 1.5, (2_000, 3)) - [0.0, 0.0, 9.0]
    logits[:5] = [0.0, 0.0, 1.5]
    truth = drawn(rng, softmax(logits))
    truth[:5] = 0
    found = calibrate(softmax(logits), truth)
    assert 1 < found[2].temperature / found[0].temperature < 1.6
    assert found[2].lead_power == pytest.approx(1, abs=0.2)
