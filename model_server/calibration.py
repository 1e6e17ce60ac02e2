"""From a model's logits to those whose softmax says how often the answer is right."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Logits: TypeAlias = npt.NDArray[np.float64]
"""Texts × labels."""

_LEAST_LEAD: Final = 1e-9
"""What stays of a lead, however small it was: a power must not make a tie of it."""


def calibrated(logits: Logits, temperatures: npt.ArrayLike, lead_powers: npt.ArrayLike) -> Logits:
    """Return each text's logits over that of its second label, calibrated by its answer's figures.

    Logits are divided by the temperature of the label that leads; its lead over the second is then
    raised to its power: above 1 a short lead says less and a long one more. Both are one number, or
    one for each label. The answer stays the same, and so does the order of the others. It is
    temperature scaling (Guo and others, "On Calibration of Modern Neural Networks", 2017) with a
    temperature that depends on the logits themselves (Tomani and others, "Parameterized Temperature
    Scaling for Boosting the Expressive Power in Post-Hoc Uncertainty Calibration", 2022).
    """
    labels = logits.shape[1]
    rows, answered = np.arange(len(logits)), logits.argmax(axis=1)
    second = np.partition(logits, -2, axis=1)[:, -2]
    temperature = np.broadcast_to(temperatures, labels)[answered]
    result: Logits = (logits - second[:, np.newaxis]) / temperature[:, np.newaxis]
    lead = result[rows, answered] ** np.broadcast_to(lead_powers, labels)[answered]
    result[rows, answered] = np.maximum(lead, _LEAST_LEAD)
    return result


def softmax(logits: Logits) -> Logits:
    """Return the rows' softmax, shifted by their maximum so that nothing overflows."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Logits = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result
