"""Bundles measured side by side on the same labelled texts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model_server.bundle import Bundle
from retrain.evaluation.bootstrap import RESAMPLES, Figure, figure, resampled_sums
from retrain.evaluation.figures import (
    BINS,
    HIGHER_IS_BETTER,
    Figures,
    Floats,
    bins_of,
    confusion,
    figures_of,
    sums_of_each_text,
)
from retrain.evaluation.predictions import Answers, Indices
from retrain.evaluation.schema import (
    BundleFigures,
    ClassFigures,
    ConfidenceBin,
    Difference,
    Evaluation,
)
from schemas.failures import Failure


class DifferentLabels(Failure):
    """Bundles that cannot be compared: they know different labels."""


def evaluate(
    measured: Sequence[tuple[Bundle, Answers]],
    *,
    labels_file: str,
    faults: Mapping[str, int],
    seed: int,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Return the figures of each bundle, and of each one's differences from the first.

    All answers are to the same texts, with the same labels in the same order.
    """
    answers = [found for _, found in measured]
    labels = answers[0].labels
    sums = [sums_of_each_text(found) for found in answers]
    resampled = resampled_sums(sums, resamples=resamples, seed=seed)
    points = [figures_of(_total(part), labels) for part in sums]
    spreads = [figures_of(part, labels) for part in resampled]
    bundles = [
        _bundle_figures(bundle, found, point, spread)
        for (bundle, found), point, spread in zip(measured, points, spreads, strict=True)
    ]
    names = distinct_names([bundle for bundle, _ in measured])
    differences = [
        _difference((names[n], names[0]), (points[n], points[0]), (spreads[n], spreads[0]))
        for n in range(1, len(measured))
    ]
    return Evaluation(
        labels_file=labels_file,
        labels=list(labels),
        texts=len(answers[0].truth),
        faults=dict(faults),
        resamples=resamples,
        seed=seed,
        bundles=bundles,
        differences=differences,
    )


def figures_alone(
    answers: Answers, *, seed: int, resamples: int = RESAMPLES
) -> tuple[dict[str, Figure], list[ClassFigures]]:
    """Return the figures of the whole and of each label, with their intervals."""
    sums = sums_of_each_text(answers)
    (resampled,) = resampled_sums([sums], resamples=resamples, seed=seed)
    point, spread = figures_of(_total(sums), answers.labels), figures_of(resampled, answers.labels)
    return _headline(point, spread), _classes(answers, point, spread, confusion(answers))


def require_same_labels(bundles: Sequence[Bundle]) -> tuple[str, ...]:
    """Return the labels of the first bundle; raise `DifferentLabels` where another has others."""
    first = bundles[0]
    for other in bundles[1:]:
        if set(other.manifest.labels) != set(first.manifest.labels):
            raise DifferentLabels(
                f"{other.folder} knows {', '.join(other.manifest.labels)}, "
                f"{first.folder} {', '.join(first.manifest.labels)}: evaluate them apart"
            )
    return first.manifest.labels


def distinct_names(bundles: Sequence[Bundle]) -> list[str]:
    """Return a name for each bundle, with its version; with its hash too where two are the same."""
    names = [f"{bundle.manifest.name} {bundle.manifest.version}" for bundle in bundles]
    return [
        f"{name} ({bundle.identity.sha256[:8]})" if names.count(name) > 1 else name
        for name, bundle in zip(names, bundles, strict=True)
    ]


def _classes(
    answers: Answers, point: Figures, spread: Figures, cells: Indices
) -> list[ClassFigures]:
    return [
        ClassFigures(
            label=label,
            support=int(cells[n].sum()),
            chosen=int(cells[:, n].sum()),
            precision=figure(point.precision[n], spread.precision[:, n]),
            recall=figure(point.recall[n], spread.recall[:, n]),
            f1=figure(point.f1[n], spread.f1[:, n]),
        )
        for n, label in enumerate(answers.labels)
    ]


def _bundle_figures(
    bundle: Bundle, answers: Answers, point: Figures, spread: Figures
) -> BundleFigures:
    cells = confusion(answers)
    return BundleFigures(
        name=bundle.manifest.name,
        version=bundle.manifest.version,
        sha256=bundle.identity.sha256,
        folder=str(bundle.folder),
        figures=_headline(point, spread),
        classes=_classes(answers, point, spread, cells),
        confusion=cells.tolist(),
        bins=_bins(answers),
    )


def _headline(point: Figures, spread: Figures) -> dict[str, Figure]:
    resampled = spread.headline()
    return {name: figure(float(v), resampled[name]) for name, v in point.headline().items()}


def _difference(
    names: tuple[str, str], points: tuple[Figures, Figures], spreads: tuple[Figures, Figures]
) -> Difference:
    ours, theirs = (point.headline() for point in points)
    spread_of_ours, spread_of_theirs = (spread.headline() for spread in spreads)
    figures, share_better = {}, {}
    for name, value in ours.items():
        differences = spread_of_ours[name] - spread_of_theirs[name]
        figures[name] = figure(float(value - theirs[name]), differences)
        better = differences if HIGHER_IS_BETTER[name] else -differences
        # A tie is half a win: equal bundles have .5.
        # A resample without a label that a figure needs says nothing of it.
        known = better[~np.isnan(better)]
        share_better[name] = (
            round(float(np.mean((np.sign(known) + 1) / 2)), 4) if len(known) else None
        )
    return Difference(name=names[0], against=names[1], figures=figures, share_better=share_better)


def _bins(answers: Answers) -> list[ConfidenceBin]:
    places = bins_of(answers.confidence)
    texts = np.bincount(places, minlength=BINS)
    confidence = np.bincount(places, weights=answers.confidence, minlength=BINS)
    agreed = np.bincount(places, weights=answers.agreed, minlength=BINS)
    return [
        ConfidenceBin(
            low=round(n / BINS, 6),
            high=round((n + 1) / BINS, 6),
            texts=int(texts[n]),
            mean_confidence=round(float(confidence[n] / texts[n]), 6) if texts[n] else None,
            accuracy=round(float(agreed[n] / texts[n]), 6) if texts[n] else None,
        )
        for n in range(BINS)
    ]


def _total(sums: Any) -> Floats:
    total: Floats = np.asarray(sums.sum(axis=0), dtype=np.float64).ravel()
    return total
