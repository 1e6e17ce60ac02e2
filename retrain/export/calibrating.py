"""The temperatures and powers that make confidence mean what it says."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from model_server.calibration import MOST_LEAD_POWER, Logits, calibrated
from model_server.onnx_engine import Probabilities
from retrain.evaluation.predictions import Indices

COLDEST: Final = 0.01
HOTTEST: Final = 100.0
_LEAST_POWER: Final = 0.1
_USUAL_DEVIATIONS: Final = (0.3, 0.2)
"""Standard deviations of the logs of a label's temperature, around that of all labels, and of its
power, around that of 1: what is expected before a text is seen. On fifths of five models' 4,936
validation texts that they were not fitted on, the cross-entropy falls against one temperature for
all by .008, .008, .016, .017 and .048 nats; a looser power lowers it by no more than .0008
further, and raises the calibration error there by .002 to .006.
"""
_Losses = Callable[[float, float], npt.NDArray[np.float64]]


class Calibration(Struct, frozen=True, kw_only=True):
    """What the answers of one label are calibrated with (`model_server/calibration.py`)."""

    temperature: float = 1.0
    lead_power: float = 1.0


def calibrate(probabilities: Probabilities, truth: Indices) -> tuple[Calibration, ...]:
    """Return for each label what makes its confidence tell best whether it is right.

    `probabilities`, of one text or more, were given uncalibrated; temperatures lie within .01 and
    100, powers within .1 and 10, to four decimals. What is lessened is the cross-entropy of the
    answered label's confidence against right or wrong, label by label (top-label calibration, Gupta
    and Ramdas 2022), not that of all probabilities: class biases raise rare labels above their
    share on purpose, which makes a model too sure of these and not sure enough of the others, and
    most where the lead is short. A label with few answers stays near the temperature of all, and
    the power 1. Right and wrong count as (n + 1) / (n + 2) and 1 / (n + 2) (Platt 1999), so that a
    few texts that are all answered rightly make no answer certain.
    """
    # Logits but for a constant in each row, which the softmax takes away again.
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    answered = logits.argmax(axis=1)
    is_right = answered == truth
    of_all = _losses(logits, is_right)
    temperatures = np.log([COLDEST, HOTTEST])
    common = minimize_scalar(
        lambda log_temperature: float(of_all(log_temperature, 0.0).mean()),
        bounds=temperatures,
        method="bounded",
    ).x
    return tuple(
        _of_label(_losses(logits[answered == label], is_right[answered == label]), float(common))
        for label in range(logits.shape[1])
    )


def _of_label(losses: _Losses, common: float) -> Calibration:
    usual, deviations = np.array([common, 0.0]), np.array(_USUAL_DEVIATIONS)

    def loss(logs: npt.NDArray[np.float64]) -> float:
        surprise = float((((logs - usual) / deviations) ** 2).sum()) / 2
        return float(losses(*logs).sum()) + surprise

    bounds = [np.log([COLDEST, HOTTEST]), np.log([_LEAST_POWER, MOST_LEAD_POWER])]
    temperature, power = np.exp(minimize(loss, usual, method="L-BFGS-B", bounds=bounds).x)
    return Calibration(temperature=round(float(temperature), 4), lead_power=round(float(power), 4))


def _losses(logits: Logits, is_right: npt.NDArray[np.bool_]) -> _Losses:
    """Return the texts' cross-entropies as a function of the logs of temperature and power."""
    right, wrong = int(is_right.sum()), int((~is_right).sum())
    target = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))

    def losses(log_temperature: float, log_power: float) -> npt.NDArray[np.float64]:
        order = np.sort(calibrated(logits, np.exp(log_temperature), np.exp(log_power)), axis=1)
        whole = logsumexp(order, axis=1)
        log_wrong = logsumexp(order[:, :-1], axis=1) - whole
        found: npt.NDArray[np.float64] = -(
            target * (order[:, -1] - whole) + (1 - target) * log_wrong
        )
        return found

    return losses
