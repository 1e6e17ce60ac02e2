"""What a training says of its data, and what it can know of the data of those it learns from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from retrain.datasets.prepare_dataset import Prepared
from retrain.datasets.tweeteval import name_of
from retrain.trained_model import MANIFEST, PRETRAINED, LearnedFrom


class _Manifest(Struct):
    """What `trained.json` and `pretrained.json` have in common here."""

    data: LearnedFrom | None = None


def learned_from(
    prepared: Prepared, teachers: Iterable[Path] = (), *, doubted: Iterable[Path]
) -> LearnedFrom:
    """Return what a model card tells of the data: names and numbers, no paths and no text."""
    report = prepared.data_report
    return LearnedFrom(
        files=_rows_by_name(report.files),
        test_files=tuple(name_of(Path(file)) for file in report.test_files),
        test_sha256=prepared.test_sha256,
        training=report.training,
        validation=report.validation,
        unlabelled=report.unlabelled,
        unlabelled_files=_rows_by_name(report.unlabelled_files),
        teachers=tuple(folder.resolve().name for folder in teachers),
        doubted=tuple(folder.resolve().name for folder in doubted),
        kept_out_sha256=prepared.kept_out_sha256,
    )


def _rows_by_name(files: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    rows = Counter[str]()
    for file, found in files.items():
        rows[name_of(Path(file))] += found["rows"]
    return dict(rows)


def doubted(folders: Iterable[Path], prepared: Prepared) -> tuple[Path, ...]:
    """Return those of these models that may have learned from texts of test or validation.

    They may where they were trained or pretrained here with other texts kept out, or by a model of
    which this is true. Of a folder without a manifest nothing is known, and nothing said.
    """
    return tuple(folder for folder in folders if _is_doubted(folder, prepared.kept_out_sha256))


def _is_doubted(folder: Path, kept_out_sha256: str) -> bool:
    files = (folder / name for name in (MANIFEST, PRETRAINED))
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return False
    data = msgspec.json.decode(file.read_bytes(), type=_Manifest).data
    return data is None or data.kept_out_sha256 != kept_out_sha256 or bool(data.doubted)


def doubt(folder: Path) -> str:
    """Return the sentence that names a doubted model."""
    return (
        f"{folder}, or what it was made from, was trained with other test and validation texts "
        f"kept out than these: figures on them may flatter"
    )
