"""From a model's logits to those whose softmax says how often the answer is right."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Logits: TypeAlias = npt.NDArray[np.float64]
"""Texts × labels."""

MOST_LEAD_POWER: Final = 10.0
_LEAST_LEAD: Final = 1e-9
"""What stays of a lead, however small it was: a power must not make a tie of it."""


def calibrated(logits: Logits, temperature: npt.ArrayLike, lead_power: npt.ArrayLike) -> Logits:
    """Return each text's logits over that of its second label, calibrated by its answer's figures.

    Logits, of two labels or more, are divided by the temperature of the label that leads; its lead
    over the second is then raised to its power: above 1, a lead under 1 says less and one over 1
    says more. Both figures are positive, one for all labels or one for each. The answer stays the
    same, and so does the order of the others. With the power 1 it is temperature scaling (Guo and
    others, "On Calibration of Modern Neural Networks", 2017); other powers make the temperature of
    the answer depend on its logits, as Tomani and others do with a network ("Parameterized
    Temperature Scaling", 2022).
    """
    labels = logits.shape[1]
    rows, answered = np.arange(len(logits)), logits.argmax(axis=1)
    second = np.partition(logits, -2, axis=1)[:, -2]
    divisor = np.broadcast_to(temperature, labels)[answered]
    result: Logits = (logits - second[:, np.newaxis]) / divisor[:, np.newaxis]
    lead = result[rows, answered] ** np.broadcast_to(lead_power, labels)[answered]
    result[rows, answered] = np.maximum(lead, _LEAST_LEAD)
    return result


def softmax(logits: Logits) -> npt.NDArray[np.float64]:
    """Return the rows' softmax, shifted by their maximum so that nothing overflows."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result
