"""The report on the label files as a table for people."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from retrain.datasets.data_report import DataReport
from retrain.datasets.prepare_dataset import Prepared, Sources, prepare
from schemas.terminal import plain_table


def prepare_shown(sources: Sources, console: Console) -> Prepared:
    """Prepare, with a line while it reads and the report at its end."""
    with console.status("reading the label files"):
        prepared = prepare(sources)
    console.print(data_report_table(prepared.data_report))
    return prepared


def data_report_table(report: DataReport) -> Table:
    """Return a line for everything that was counted."""
    table = plain_table("rows", "of what", numbers=("rows",), title="the label files")
    for files, purpose in (
        (report.files, ""),
        (report.test_files, ": of test, not learned from"),
        (report.unlabelled_files, ": without labels"),
    ):
        for file, found in files.items():
            for fault, count in found.items():
                what = purpose if fault == "rows" else f": {fault}, left out"
                table.add_row(f"{count:,}", f"{escape(file)}{what}")
    for reason, count in sorted(report.removed.items()):
        if count:
            table.add_row(f"{count:,}", f"removed: {reason}")
    for name, of_labels in (("training", report.training), ("validation", report.validation)):
        parts = ", ".join(f"{escape(label)} {count:,}" for label, count in of_labels.items())
        table.add_row(f"{sum(of_labels.values()):,}", f"{name}: {parts}")
    if report.unlabelled:
        table.add_row(f"{report.unlabelled:,}", "unlabelled")
    return table
