"""Decisions as people like to read them."""

from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from schemas.decisions import Decision, Gain
from schemas.escape_for_terminal import shown
from schemas.stored_decisions import StoredDecision
from schemas.terminal import plain_table, whole_line

_FIGURES: Final = {
    "accuracy": "accuracy",
    "macro_recall": "macro-recall",
    "share_error": "error of the shares",
}


def decisions_table(found: Sequence[StoredDecision]) -> Table:
    """Return one line for each decision."""
    numbers = ("audits", "accuracy", "error of the shares")
    table = plain_table(
        "id", "run", "fitted", *numbers, "state", numbers=numbers, whole=("id", "run")
    )
    for stored in found:
        decision = stored.decision
        table.add_row(
            stored.id,
            shown(decision.run),
            f"{decision.fitted_at:%Y-%m-%d %H:%M}",
            f"{decision.audits:,}",
            _change(decision.figures.accuracy),
            _change(decision.figures.share_error),
            "in use" if stored.in_use else "not in use",
        )
    return table


def decision_view(id_: str, decision: Decision) -> list[RenderableType]:
    """Return all of a decision: its figures, and its biases by rule."""
    return [
        whole_line(f"decision {id_} of run {decision.run}, model {decision.model_sha256[:12]}…"),
        Text(""),
        _figures_table(decision),
        Text(f"Measured on {decision.audits:,} audits, each by biases that were fitted on others."),
        Text(""),
        _biases_table(decision),
    ]


def _figures_table(decision: Decision) -> Table:
    numbers = ("model's own", "decided", "gain", "95 % interval")
    table = plain_table("figure", *numbers, numbers=numbers)
    for name, heading in _FIGURES.items():
        gain: Gain = getattr(decision.figures, name)
        if gain.gain is None:
            table.add_row(heading, "-", "-", "-", "-")
            continue
        table.add_row(
            heading,
            f"{gain.own:.3f}",
            f"{gain.decided:.3f}",
            f"{gain.gain:+.3f}",
            f"{gain.low:+.3f} to {gain.high:+.3f}",
        )
    return table


def _biases_table(decision: Decision) -> Table:
    labels = [shown(label) for label in decision.labels]
    table = plain_table("bias of", *labels, numbers=labels)
    table.add_row("whole run", *(f"{bias:+.2f}" for bias in decision.biases))
    for rule, biases in sorted(decision.biases_by_rule.items()):
        table.add_row(shown(rule), *(f"{bias:+.2f}" for bias in biases))
    return table


def _change(gain: Gain) -> str:
    return "-" if gain.gain is None else f"{gain.own:.3f} → {gain.decided:.3f}"
