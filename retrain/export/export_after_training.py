"""What `murmur model train --bundle` exports, settled before it trains."""

from pathlib import Path

from model_server.bundle import open_bundle
from retrain.base_models.loading import foreign_kind
from retrain.datasets.prepare_dataset import Prepared
from retrain.datasets.reading import read_labelled
from retrain.datasets.rows import LabelledFile
from retrain.export.export_bundle import ExportSpec
from schemas.failures import Failure


def export_after_training(
    trained: Path,
    out: Path,
    base: str,
    prepared: Prepared,
    *,
    against: Path,
    name: str | None,
    version: str,
    licence: str | None,
) -> ExportSpec:
    """Return what to export of a model that is about to be trained.

    `against` is the bundle whose cost it must keep to. Test files with none of its labels stay out
    of the card. Raises a `Failure` for whatever would refuse the export whatever the model.
    """
    out = out.absolute()
    if out.exists() or out == trained.absolute():
        raise Failure(
            f"{out} already exists or is the --out folder: name another folder for the bundle"
        )
    if kind := foreign_kind(base):
        raise Failure(f"{base} is a {kind}, only a DistilBERT becomes a bundle: remove --bundle")
    open_bundle(against)
    tests = map(Path, prepared.data_report.test_files)
    return ExportSpec(
        trained=trained,
        out=out,
        name=name or out.name,
        version=version,
        licence=licence,
        against=against,
        tests=tuple(found for file in tests if (found := _with_labels(file, prepared.labels))),
        seed=1,
    )


def _with_labels(file: Path, labels: tuple[str, ...]) -> LabelledFile | None:
    found = read_labelled(file, labels=None)
    return read_labelled(file, labels=labels) if set(found.labels) & set(labels) else None
