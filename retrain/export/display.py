"""An export as people see it: what is being done, and a table at its end."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from retrain.evaluation.number_format import HEADINGS, figure_text
from retrain.export.export_bundle import ExportSpec, export
from retrain.export.model_card import NOT_KEPT_OUT
from retrain.export.result import Exported
from schemas.terminal import plain_table, terminal_console, whole_line


def export_shown(spec: ExportSpec) -> Exported:
    """Export, with a line on a terminal that tells what is being done."""
    with terminal_console(stderr=True).status("exporting") as status:
        return export(spec, lambda step: status.update(escape(step)))


def exported_view(exported: Exported) -> RenderableType:
    """Return what `murmur model export` shows at its end."""
    gate = exported.gate
    rows = {
        "logits, ONNX against PyTorch": f"{gate.logit_difference:.1e} apart at most",
        "macro-recall, int8 against fp32": (
            f"{gate.macro_recall_int8:.4f} against {gate.macro_recall_fp32:.4f}"
        ),
        "same labels, int8 and fp32": f"{gate.same_labels:.2%} of {gate.texts:,}",
        "other labels alone than among 32": f"{gate.labels_by_batch} of {gate.texts_by_batch:,}",
        "size": f"{gate.size_bytes / 1e6:.1f} MB",
    }
    if gate.cost is not None:
        cost = gate.cost
        rows[f"CPU a tweet, against {cost.against}"] = (
            f"{cost.cpu_us:.0f} µs against {cost.cpu_us_against:.0f}, {cost.ratio:.2f} times"
        )
    by_label = (
        f"{label} {of_label.temperature}, {of_label.lead_power}"
        for label, of_label in exported.calibration.items()
    )
    rows["calibration by label: temperature, exponent of the lead"] = "; ".join(by_label)
    table = plain_table()
    for name, value in rows.items():
        table.add_row(escape(name), escape(value))
    for texts_of, figures in exported.measured.items():
        table.add_row("", "")
        mark = " †" if texts_of in exported.not_kept_out else ""
        table.add_row(f"[bold]{escape(texts_of)}{mark}[/]", "")
        for name, figure in figures.items():
            table.add_row(HEADINGS[name], escape(figure_text(figure)))
    sealed = f"{exported.name} {exported.version} ({exported.sha256[:12]}) in {exported.folder}"
    notes = [Text(NOT_KEPT_OUT)] if exported.not_kept_out else []
    return Group(whole_line(sealed), table, *notes)
