"""An evaluation as tables for people."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from retrain.evaluation.number_format import (
    HEADINGS,
    bundle_names,
    difference_text,
    figure_text,
    share_text,
)
from retrain.evaluation.schema import BundleFigures, Evaluation
from schemas.terminal import plain_table


def evaluation_view(evaluation: Evaluation) -> RenderableType:
    """Return what `murmur model evaluate` shows."""
    names = bundle_names(evaluation)
    faults = ", ".join(f"{name} {count:,}" for name, count in evaluation.faults.items())
    parts: list[RenderableType] = [
        Text(
            f"{evaluation.texts:,} texts of {evaluation.labels_file}; left out: {faults or 'none'}"
        ),
        _headline(evaluation, names),
    ]
    for difference in evaluation.differences:
        table = _plain(f"{difference.name} against {difference.against}", "difference", "better in")
        for name, figure in difference.figures.items():
            share = share_text(difference.share_better[name])
            table.add_row(HEADINGS[name], difference_text(figure), share)
        parts += ["", table]
    for name, bundle in zip(names, evaluation.bundles, strict=True):
        parts += ["", _classes(name, bundle)]
    parts.append(
        Text(f"95 % intervals of {evaluation.resamples:,} bootstrap resamples", style="dim")
    )
    return Group(*parts)


def _headline(evaluation: Evaluation, names: list[str]) -> Table:
    table = _plain("", *names)
    for name in evaluation.bundles[0].figures:
        table.add_row(HEADINGS[name], *(figure_text(b.figures[name]) for b in evaluation.bundles))
    return table


def _classes(name: str, bundle: BundleFigures) -> Table:
    table = _plain(name, "texts", "precision", "recall", "F1")
    for found in bundle.classes:
        figures = (found.precision, found.recall, found.f1)
        shown = [figure_text(figure, digits=3) for figure in figures]
        table.add_row(escape(found.label), f"{found.support:,}", *shown)
    return table


def _plain(first: str, *others: str) -> Table:
    table = plain_table(first, *others, numbers=others)
    table.columns[0].min_width = 12
    return table
