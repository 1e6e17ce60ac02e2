"""MODEL_CARD.md: what a bundle was made of, how good it is, and what it is not for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from retrain.evaluation.bootstrap import Figure
from retrain.evaluation.number_format import HEADINGS, figure_text
from retrain.evaluation.schema import ClassFigures
from retrain.export.calibrating import Calibration
from retrain.export.quality_gate import GateFigures
from retrain.trained_model import Trained

_PURPOSE: Final = (
    "A classifier of single tweets: int8 ONNX, statically quantised, so that a tweet's score does "
    "not depend on the tweets that are scored beside it."
)
_INTERVALS: Final = (
    "In brackets 95 % bootstrap intervals, which say what other texts of the same kind would do, "
    "and nothing about texts of another kind."
)
_AGEING: Final = (
    "It learned from texts of certain years and subjects; what people write and mean changes. "
    "Measure it on labels of your own: `murmur model evaluate`."
)
_SHARES: Final = (
    "The shares of its labels are not the shares that people would count on your stream, and how "
    "they differ depends on the stream. To have right shares, label 50 to 100 tweets of it "
    "(`murmur labels annotate`) and fit a decision on them (`murmur decisions fit`)."
)
NOT_KEPT_OUT: Final = (
    "† No test file of the training, or not of all that it learned from: it may know these texts."
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Figures of a bundle on the texts of a file.

    `chosen_on`: they helped to choose it. `kept_out`: nothing was learned of the file.
    """

    texts_of: str
    texts: int
    figures: Mapping[str, Figure]
    classes: Sequence[ClassFigures]
    chosen_on: bool = False
    kept_out: bool = True


def model_card(
    trained: Trained,
    *,
    name: str,
    version: str,
    licence: str | None,
    calibration: Sequence[Calibration],
    measured: Sequence[Measured],
    gate: GateFigures,
) -> str:
    """Return the card as Markdown. It holds figures and names, and no text of the data."""
    hours, rest_s = divmod(round(trained.wall_s), 3600)
    facts = {
        "Labels": ", ".join(_code(label) for label in trained.labels),
        "Languages": _plain(", ".join(trained.languages)),
        "Base": _base(trained),
        "Training data": _data(trained),
        "Trained in": f"{hours} h {rest_s // 60} min, seed {trained.seed}, commit {trained.commit}",
        "Input": f"at most {trained.max_tokens} word pieces; cleaning version {trained.cleaning}",
        "Calibration by label: temperature, exponent of the lead over the second label": "; ".join(
            f"{_code(label)} {of_label.temperature}, {of_label.lead_power}"
            for label, of_label in zip(trained.labels, calibration, strict=True)
        ),
    }
    recipe = {name: str(value) for name, value in trained.recipe.items()}
    lines = [f"# {_plain(name)}, version {_plain(version)}", "", _PURPOSE, ""]
    lines += [*_table(("", ""), facts.items()), "", "## Recipe", ""]
    lines += [*_table(("parameter", "value"), recipe.items()), "", "## Figures", ""]
    lines += [*_figures_table(measured), "", _INTERVALS, ""]
    for found in measured:
        lines += [*_classes_table(found), ""]
    lines += ["## Shares", "", _SHARES, "", *_shares_table(measured)]
    lines += [*_export_lines(gate), ""]
    lines += [
        "## Limits",
        "",
        *_limits(trained.languages),
        "",
        f"Licence: {_plain(licence or 'not stated')}.",
        "",
    ]
    return "\n".join(lines)


def _base(trained: Trained) -> str:
    """Return a base's name; of a folder without whose machine it lies on."""
    if trained.base_sha256 is None:
        return _plain(trained.base)
    return f"{_plain(Path(trained.base).name)}, SHA-256 {_code(trained.base_sha256)}"


def _data(trained: Trained) -> str:
    data = trained.data
    kept_apart = f"SHA-256 {_code(trained.data_sha256)}; its texts are not in the bundle"
    if data is None:
        return kept_apart
    counted = ", ".join(f"{_code(label)} {texts:,}" for label, texts in data.training.items())
    parts = [f"{sum(data.training.values()):,} texts ({counted}), of {_codes(data.files)}"]
    if data.unlabelled:
        files = _codes(data.unlabelled_files) or "files whose names were not written down"
        parts.append(f"{data.unlabelled:,} texts without labels, of {files}")
    if data.teachers:
        parts.append(f"the answers of {_codes(data.teachers)} to all of these")
    parts.append(
        f"nothing near a text of test ({_codes(data.test_files) or 'none'}) or of the "
        f"{sum(data.validation.values()):,} for validation"
    )
    if data.doubted:
        parts.append(f"but {_codes(data.doubted)} may know some of these")
    return "; ".join([*parts, kept_apart])


def _limits(languages: Sequence[str]) -> list[str]:
    return [
        "- It says something about a text, nothing about a person.",
        f"- It knows {_plain(', '.join(languages))}; other languages get a guess.",
        "- It gives every text one of its labels, also one that none of them fits.",
        f"- {_AGEING}",
    ]


def _figures_table(measured: Sequence[Measured]) -> list[str]:
    headings = [_heading(found) for found in measured]
    rows = [
        (HEADINGS[name], *(figure_text(found.figures[name]) for found in measured))
        for name in measured[0].figures
    ]
    lines = _table(("", *headings), rows)
    if any(found.chosen_on for found in measured):
        lines += ["", "\\* The model's end, class biases or calibration were chosen on these."]
    if not all(found.kept_out for found in measured):
        lines += ["", NOT_KEPT_OUT]
    return lines


def _heading(measured: Measured) -> str:
    mark = " *" if measured.chosen_on else "" if measured.kept_out else " †"
    return f"{_plain(measured.texts_of)}, {measured.texts:,} texts{mark}"


def _classes_table(measured: Measured) -> list[str]:
    rows = [
        (
            _code(found.label),
            f"{found.support:,}",
            *(figure_text(figure) for figure in (found.precision, found.recall, found.f1)),
        )
        for found in measured.classes
    ]
    return _table((_heading(measured), "texts", "precision", "recall", "F1"), rows)


def _shares_table(measured: Sequence[Measured]) -> list[str]:
    rows = [
        (
            _heading(found),
            _code(of_label.label),
            f"{of_label.support / found.texts:.1%}",
            f"{of_label.chosen / found.texts:.1%}",
        )
        for found in measured
        for of_label in found.classes
    ]
    return [*_table(("texts", "label", "people", "this model"), rows), ""] if rows else []


def _export_lines(gate: GateFigures) -> list[str]:
    exported = (
        f"Export: int8 has macro-recall {gate.macro_recall_int8:.4f} and fp32 "
        f"{gate.macro_recall_fp32:.4f} on {gate.texts:,} validation texts; "
        f"{gate.same_labels:.2%} of the labels are the same. Of {gate.texts_by_batch:,} texts "
        f"{gate.labels_by_batch} get another label alone than in a batch of 32."
    )
    lines = [exported]
    if gate.cost is not None:
        cost = gate.cost
        lines.append(
            f"A tweet costs {cost.ratio:.2f} times the CPU of {_plain(cost.against)}, in turns on "
            "one core."
        )
    return lines


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(_cell(heading) for heading in headings)} |"]
    lines.append("|" + "---|" * len(headings))
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return lines


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def _code(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(_code, texts))


def _plain(text: str) -> str:
    """Return a text from outside in which no character marks anything up."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in " ".join(text.split()))
