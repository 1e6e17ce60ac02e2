"""A bundle's line in the baselines' table: the model that has to earn its place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_server.bundle import default_bundle, open_bundle
from model_server.onnx_engine import OnnxEngine
from retrain.baselines.measure_baselines import Labels, Measured, figures_of
from retrain.datasets.prepare_dataset import Prepared
from retrain.datasets.splitting import Example
from schemas.failures import Failure


def measure_bundle(
    folder: Path | None, prepared: Prepared, test: Sequence[Example], *, cleaning: str
) -> Measured:
    """Measure a bundle (None: the default) on the same texts; nothing is fitted.

    Raises `Failure` where it has other labels or another cleaning.
    """
    bundle = open_bundle(folder or default_bundle())
    engine = OnnxEngine(bundle)
    if bundle.manifest.cleaning != cleaning:
        raise Failure(
            f"the bundle {bundle.manifest.name} reads texts of cleaning version "
            f"{bundle.manifest.cleaning}: add --cleaning {bundle.manifest.cleaning}, name another "
            f"--bundle, or --no-bundle"
        )
    if set(engine.labels) != set(prepared.labels):
        raise Failure(
            f"the bundle {bundle.manifest.name} knows {', '.join(engine.labels)}, the files have "
            f"{', '.join(prepared.labels)}: name another --bundle, or --no-bundle"
        )
    number = np.array([prepared.labels.index(label) for label in engine.labels], dtype=np.int64)

    def predict(texts: Sequence[str]) -> Labels:
        answers: Labels = number[engine.probabilities(texts).argmax(axis=1)]
        return answers

    return Measured(
        name=f"{bundle.manifest.name} {bundle.manifest.version}",
        validation=figures_of(predict, prepared.validation, prepared.labels),
        test=figures_of(predict, test, prepared.labels),
        fit_s=None,
    )
