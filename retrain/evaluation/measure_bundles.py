"""Bundles asked for the labels of a file's texts, with a progress bar."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from model_server.bundle import Bundle, open_bundle
from retrain.datasets.reading import label_files, read_labelled
from retrain.datasets.rows import fault_counts_of
from retrain.evaluation.evaluate import evaluate, require_same_labels
from retrain.evaluation.predictions import Answers, ask, truth_of
from retrain.evaluation.schema import Evaluation


def measure(
    folders: Sequence[Path], labels_paths: Sequence[Path], *, seed: int, console: Console
) -> Evaluation:
    """Return the figures of bundles on the texts of label files, and of folders of such, together.

    Raises `RefusedBundle`, `DifferentLabels`, and `UnusableLabels` for a file without labels of
    these bundles.
    """
    bundles = [open_bundle(folder) for folder in folders]
    labels = require_same_labels(bundles)
    files = [file for path in labels_paths for file in label_files(path)]
    labelled = [read_labelled(file, labels=labels) for file in files]
    texts = [row.text for file in labelled for row in file.rows]
    named = [row.label for file in labelled for row in file.rows]
    measured: list[tuple[Bundle, Answers]] = []
    columns = (TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("scoring", total=len(texts) * len(bundles))
        for bundle in bundles:
            rows = ask(bundle, texts, told=lambda done: progress.advance(task, done))
            own = bundle.manifest.labels
            answers = Answers.of(own, truth_of(own, named), rows)
            # Bundles may know the same labels in another order.
            measured.append((bundle, answers.in_order_of(labels)))
    return evaluate(
        measured,
        labels_file=", ".join(map(str, labels_paths)),
        faults=dict(fault_counts_of(labelled)),
        seed=seed,
    )
