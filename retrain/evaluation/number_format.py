"""Figures in words, the same in tables, pages and model cards."""

from typing import Final

from retrain.evaluation.bootstrap import Figure
from retrain.evaluation.schema import Evaluation

HEADINGS: Final = {
    "macro_recall": "macro-recall",
    "macro_f1": "macro-F1",
    "f1_positive_negative": "F1 of positive and negative",
    "accuracy": "accuracy",
    "calibration_error": "calibration error (15 bins)",
}


def figure_text(figure: Figure, digits: int = 4) -> str:
    """Return a figure with its interval, such as `.6954 [.6869, .7034]`."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    value, low, high = (
        _short(number, digits) for number in (figure.value, figure.low, figure.high)
    )
    return f"{value} [{low}, {high}]"


def difference_text(figure: Figure) -> str:
    """Return a difference with its interval, each with its sign."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    value, low, high = (f"{number:+.4f}" for number in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def share_text(share: float | None) -> str:
    """Return a share of resamples, such as `97.5%`."""
    return "–" if share is None else f"{share:.1%}"


def bundle_names(evaluation: Evaluation) -> list[str]:
    """Return the bundles' names in order; the first one is what the others are compared with."""
    others = [difference.name for difference in evaluation.differences]
    first = evaluation.bundles[0]
    against = [difference.against for difference in evaluation.differences]
    return [against[0] if against else f"{first.name} {first.version}", *others]


def _short(value: float, digits: int) -> str:
    written = f"{value:.{digits}f}"
    return written.removeprefix("0") if value < 1 else written
