"""An evaluation as one HTML page: no script, nothing fetched, every text escaped."""

from html import escape

from retrain.evaluation.number_format import (
    HEADINGS,
    bundle_names,
    difference_text,
    figure_text,
    share_text,
)
from retrain.evaluation.schema import BundleFigures, Difference, Evaluation
from retrain.evaluation.svg_charts import confidence_picture, confusion_picture, reliability_picture
from retrain.html_page import html_page, html_table


def page(evaluation: Evaluation) -> str:
    """Return the page."""
    faults = ", ".join(f"{name} {count:,}" for name, count in evaluation.faults.items())
    introduction = (
        f"<p>{evaluation.texts:,} labelled texts of <code>{escape(evaluation.labels_file)}</code>; "
        f"left out: {escape(faults) or 'none'}. In brackets 95 % intervals of "
        f"{evaluation.resamples:,} bootstrap resamples (seed {evaluation.seed}).</p>"
    )
    parts = [
        "<h1>Evaluation</h1>",
        introduction,
        _headline_table(evaluation),
        *(_difference_table(difference) for difference in evaluation.differences),
    ]
    for name, bundle in zip(bundle_names(evaluation), evaluation.bundles, strict=True):
        parts.append(_bundle_section(name, bundle, evaluation.labels))
    return html_page("Evaluation", parts)


def _headline_table(evaluation: Evaluation) -> str:
    names = bundle_names(evaluation)
    rows = [
        [HEADINGS[figure], *(figure_text(bundle.figures[figure]) for bundle in evaluation.bundles)]
        for figure in evaluation.bundles[0].figures
    ]
    return html_table(["", *names], rows)


def _difference_table(difference: Difference) -> str:
    rows = [
        [HEADINGS[name], difference_text(figure), share_text(difference.share_better[name])]
        for name, figure in difference.figures.items()
    ]
    return (
        f"<h2>{escape(difference.name)} against {escape(difference.against)}</h2>"
        "<p>Paired: both are resampled on the same texts.</p>"
        + html_table(["", "difference", "better in"], rows)
    )


def _bundle_section(name: str, bundle: BundleFigures, labels: list[str]) -> str:
    rows = [
        [
            found.label,
            f"{found.support:,}",
            f"{found.chosen:,}",
            *(figure_text(figure) for figure in (found.precision, found.recall, found.f1)),
        ]
        for found in bundle.classes
    ]
    pictures = [
        ("Confusion matrix", confusion_picture(bundle, labels)),
        ("Reliability", reliability_picture(bundle)),
        ("Confidence", confidence_picture(bundle)),
    ]
    drawn = "".join(
        f"<figure><figcaption>{title}</figcaption>{svg}</figure>" for title, svg in pictures
    )
    return (
        f"<h2>{escape(name)}</h2><p><small><code>{escape(bundle.folder)}</code>, "
        f"{escape(bundle.sha256)}</small></p>"
        + html_table(["label", "texts", "chosen", "precision", "recall", "F1"], rows)
        + drawn
    )
