"""Simulated audits through the error alarm."""

import numpy as np

from retrain.drift.detectors.e_detector import Floats
from retrain.drift.detectors.error_alarm import FRACTIONS, advance, evidence_of


def first_alarms(
    rng: np.random.Generator,
    streams: int,
    audits: int,
    *,
    error: float,
    tolerated: float,
    run_length: float,
) -> Floats:
    """Return after how many audits each stream alarms first, infinite where it never does."""
    log1p_r = np.zeros((streams, len(FRACTIONS)))
    first = np.full(streams, np.inf)
    for audit in range(audits):
        wrong = (rng.random(streams) < error).astype(np.float64)
        log1p_r = advance(log1p_r, wrong, tolerated)
        fires = (evidence_of(log1p_r) >= run_length) & np.isinf(first)
        first[fires] = audit + 1
    return first
