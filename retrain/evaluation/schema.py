"""An evaluation, as `murmur model evaluate --json` writes it."""

from msgspec import Struct

from retrain.evaluation.bootstrap import Figure


class ClassFigures(Struct, frozen=True, kw_only=True):
    """Figures of one label: `support` texts have it, `chosen` texts got it."""

    label: str
    support: int
    chosen: int
    precision: Figure
    recall: Figure
    f1: Figure


class ConfidenceBin(Struct, frozen=True, kw_only=True):
    """Texts whose confidence is above `low` and at most `high`; None where there are none."""

    low: float
    high: float
    texts: int
    mean_confidence: float | None
    accuracy: float | None


class BundleFigures(Struct, frozen=True, kw_only=True):
    """One bundle. `confusion` has a row for each true label, a column for each chosen one."""

    name: str
    version: str
    sha256: str
    folder: str
    figures: dict[str, Figure]
    classes: list[ClassFigures]
    confusion: list[list[int]]
    bins: list[ConfidenceBin]


class Difference(Struct, frozen=True, kw_only=True):
    """By how much `name` differs from `against`, text by text, in each figure of the whole.

    `share_better` is the share of resamples in which it was better: .5 says nothing, .975 and
    more is what people call significant; None where no resample says anything of a figure.
    """

    name: str
    against: str
    figures: dict[str, Figure]
    share_better: dict[str, float | None]


class Evaluation(Struct, frozen=True, kw_only=True):
    """Bundles on the same texts. `faults` counts the rows of the file that were not used."""

    labels_file: str
    labels: list[str]
    texts: int
    faults: dict[str, int]
    resamples: int
    seed: int
    bundles: list[BundleFigures]
    differences: list[Difference]
