"""Decisions for tests: everything has a value, and a test names only what it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime

from schemas.decisions import Decision, DecisionFigures, Gain
from tests.unit.examples import LABELS, model

MODEL_SHA256 = model().sha256
FITTED_AT = datetime(2026, 11, 28, 2, tzinfo=UTC)
_GAIN = Gain(own=0.7, decided=0.72, gain=0.02, low=0.01, high=0.03)
FIGURES = DecisionFigures(accuracy=_GAIN, macro_recall=_GAIN, share_error=_GAIN)


def decision(
    *,
    run: str = "test",
    biases: tuple[float, ...] = (-0.5, 0.75, 0.0),
    by_rule: Mapping[str, tuple[float, ...]] | None = None,
    labels: tuple[str, ...] = LABELS,
    model_sha256: str = MODEL_SHA256,
) -> Decision:
    """Return a decision of the model `a` of `tests.unit.examples`."""
    return Decision(
        run=run,
        model_sha256=model_sha256,
        labels=labels,
        biases=biases,
        biases_by_rule=dict(by_rule or {}),
        audits=100,
        fitted_at=FITTED_AT,
        figures=FIGURES,
    )
