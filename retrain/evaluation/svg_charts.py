"""Pictures of an evaluation as SVG elements: no script, and every label stays a text."""

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Canvas

from retrain.evaluation.schema import BundleFigures, ConfidenceBin

_BLUE: Final = "#2a6f97"
_GREY: Final = "#9aa5ad"
_MOST_NUMBERED_LABELS: Final = 20
_LONGEST_LABEL: Final = 24
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def confusion_picture(bundle: BundleFigures, labels: Sequence[str]) -> str:
    """Draw the confusion matrix: shades are shares of a true label's texts, numbers are texts."""
    cells = np.array(bundle.confusion)
    rows = cells.sum(axis=1, keepdims=True)
    shares = np.divide(cells, rows, out=np.zeros(cells.shape), where=rows > 0)
    count = len(labels)
    size = 2.4 + 0.34 * max(count, 5)
    canvas = Canvas(figsize=(size + 0.8, size), layout="constrained")
    axes = canvas.subplots()
    # Not imshow, which would draw pixels.
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    names = [label if len(label) <= _LONGEST_LABEL else f"{label[:23]}…" for label in labels]
    # Labels are people's texts: a dollar sign in them is no formula.
    axes.set_xticks(np.arange(count) + 0.5, names, rotation=45, ha="right", parse_math=False)
    axes.set_yticks(np.arange(count) + 0.5, names, parse_math=False)
    axes.set_xlabel("chosen by the model")
    axes.set_ylabel("given by people")
    if count <= _MOST_NUMBERED_LABELS:
        for (row, column), cell in np.ndenumerate(cells):
            colour = "white" if shares[row, column] > 0.6 else "#222222"
            place = (column + 0.5, row + 0.5)
            axes.text(*place, f"{cell:,}", ha="center", va="center", color=colour, fontsize=8)
    return _svg(canvas, f"confusion-{bundle.sha256}")


def reliability_picture(bundle: BundleFigures) -> str:
    """Draw accuracy over confidence: on the diagonal, confidence means what it says."""
    points = [
        (found.mean_confidence or 0.0, found.accuracy or 0.0)
        for found in bundle.bins
        if found.texts
    ]
    canvas = Canvas(figsize=(4.2, 4.0), layout="constrained")
    axes = canvas.subplots()
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1)
    axes.plot(
        [confidence for confidence, _ in points],
        [accuracy for _, accuracy in points],
        marker="o",
        markersize=4,
        color=_BLUE,
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    return _svg(canvas, f"reliability-{bundle.sha256}")


def confidence_picture(bundle: BundleFigures) -> str:
    """Draw how many texts have which confidence."""
    bins: list[ConfidenceBin] = bundle.bins
    canvas = Canvas(figsize=(4.2, 4.0), layout="constrained")
    axes = canvas.subplots()
    axes.bar(
        [found.low for found in bins],
        [found.texts for found in bins],
        width=1 / len(bins),
        align="edge",
        color=_BLUE,
        edgecolor="white",
    )
    axes.set(xlim=(0, 1), xlabel="confidence", ylabel="texts")
    return _svg(canvas, f"confidence-{bundle.sha256}")


def _svg(canvas: Any, salt: str) -> str:
    """Return the `<svg>` element. The salt keeps the ids of pictures on one page apart."""
    file = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 9}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # It measures with its own font, which has no emoji; the reader's browser has them.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        canvas.savefig(file, format="svg", metadata=_NO_METADATA)
    content = file.getvalue()
    element = content[content.index("<svg") :]
    return re.sub(r'<svg (.*?)width="[^"]*" height="[^"]*"', r"<svg \1", element, count=1)
