"""What calibration keeps of a model's answers, and what it changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_server.calibration import calibrated, softmax

LOGITS = arrays(
    np.float64, st.tuples(st.integers(1, 20), st.integers(2, 6)), elements=st.floats(-30, 30)
)
FIGURES = st.floats(0.1, 10)


@given(LOGITS, st.data())
def test_the_answer_and_the_order_of_the_others_stay(
    logits: np.ndarray, data: st.DataObject
) -> None:
    of_each = st.lists(FIGURES, min_size=logits.shape[1], max_size=logits.shape[1])
    result = calibrated(logits, data.draw(of_each), data.draw(of_each))
    probabilities = softmax(result)
    assert np.isfinite(probabilities).all()
    assert probabilities.sum(axis=1) == pytest.approx(1)
    answered = logits.argmax(axis=1)
    assert np.array_equal(probabilities.argmax(axis=1), answered)
    for before, after, answer in zip(logits, result, answered, strict=True):
        others = np.delete(before, answer), np.delete(after, answer)
        assert np.array_equal(np.sort(others[1]), others[1][np.argsort(others[0], kind="stable")])


@given(LOGITS, FIGURES)
def test_without_powers_it_is_temperature_scaling(logits: np.ndarray, temperature: float) -> None:
    scaled = softmax(logits / temperature)
    assert softmax(calibrated(logits, temperature, 1.0)) == pytest.approx(scaled, abs=1e-8)


def test_the_figures_are_those_of_the_answered_label() -> None:
    logits = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 3.0]])
    result = calibrated(logits, (1.0, 3.0, 1.0), (1.0, 1.0, 2.0))
    assert result.max(axis=1) == pytest.approx([3, 1, 0.25, 9])


@given(LOGITS, FIGURES, FIGURES)
def test_a_text_is_calibrated_alike_whatever_stands_beside_it(
    logits: np.ndarray, temperature: float, power: float
) -> None:
    together = calibrated(logits, temperature, power)
    alone = [calibrated(row[np.newaxis], temperature, power) for row in logits]
    # NumPy squares where an array of powers holds one 2, and need not round as its power does.
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-12)
