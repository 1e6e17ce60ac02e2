"""An override applied to an answer: the team's label in place of the model's, which is kept."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from model_server.overrides.override import Overrides
from model_server.scorer import Prediction
from schemas.events import AppliedOverride


class Overridden(NamedTuple):
    """The label that counts, its confidence, and the override that gave it; None: none did."""

    label: str
    confidence: float
    override: AppliedOverride | None


def apply_override(
    overrides: Overrides | None,
    text: str,
    language: str | None,
    rules: Sequence[str],
    *,
    label: str,
    confidence: float,
    probabilities: Mapping[str, float],
) -> Overridden:
    """Return the answer to a text as it counts, given what the model or a decision says.

    An override whose label this model does not know changes nothing; nor does one that says the
    same.
    """
    found = overrides.override_for(text, language, rules) if overrides is not None else None
    if (
        overrides is None
        or found is None
        or found.label == label
        or found.label not in probabilities
    ):
        return Overridden(label, confidence, None)
    applied = AppliedOverride(
        name=found.name, version=overrides.short_version, label=label, confidence=confidence
    )
    return Overridden(found.label, probabilities[found.label], applied)


def override_predictions(
    overrides: Overrides | None,
    texts: Sequence[str],
    predictions: Sequence[Prediction],
    *,
    language: str | None = None,
    rules: Sequence[str] = (),
) -> list[Overridden]:
    """Return the answers as they count, of texts that are all in a language and match rules."""
    return [
        apply_override(
            overrides,
            text,
            language,
            rules,
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=prediction.probabilities,
        )
        for text, prediction in zip(texts, predictions, strict=True)
    ]
