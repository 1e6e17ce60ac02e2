"""What a training tells people at its end: figures, where the result lies, what comes next."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from retrain.base_models.loading import foreign_kind

_COUNTS: Final = {"best_step", "steps"}


def figure_lines(figures: Mapping[str, float]) -> Iterator[str]:
    """Yield a line for each figure; steps are whole."""
    for name, value in figures.items():
        yield f"{name:28} {value:.{0 if name in _COUNTS else 4}f}"


KEPT_TEXTS: Final = (
    "it keeps texts (validation.jsonl, calibration.txt.jsonl), which a later deletion does not "
    "reach: delete the folder when it has served"
)


def last_line(out: Path, base: str, bundle: Path | None) -> str:
    """Return where a trained model lies, and the command that uses it."""
    if bundle is not None:
        return f"in {out}; MURMUR_MODEL={bundle} serves the bundle"
    if foreign_kind(base):
        return f"in {out}; murmur model train … --teacher {out}"
    return f"in {out}; murmur model export {out} --out …"
