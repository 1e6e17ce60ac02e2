"""What an export came to, as `murmur model export --json` writes it."""

from msgspec import Struct

from retrain.evaluation.bootstrap import Figure
from retrain.export.calibrating import Calibration
from retrain.export.quality_gate import GateFigures


class Exported(Struct, frozen=True, kw_only=True):
    """A bundle that passed the gate. `calibration` is by label; `measured` has its figures by the
    file they are of.

    `not_kept_out` names those of these files that the training may have learned from.
    """

    folder: str
    name: str
    version: str
    sha256: str
    calibration: dict[str, Calibration]
    gate: GateFigures
    measured: dict[str, dict[str, Figure]]
    not_kept_out: tuple[str, ...] = ()
