"""What a training says of its data, and what it can know of the data of those it learns from."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from retrain.labelled.preparing import Prepared
from retrain.labelled.tweeteval import name_of
from retrain.trained import MANIFEST, PRETRAINED, LearnedFrom


class _Manifest(Struct):
    """What `trained.json` and `pretrained.json` have in common here."""

    data: LearnedFrom | None = None


def learned_from(prepared: Prepared, teachers: Iterable[Path] = ()) -> LearnedFrom:
    """Return what a model card tells of the data: names and numbers, no paths and no text."""
    account = prepared.account
    return LearnedFrom(
        files=_rows_by_name(account.files),
        test_files=tuple(name_of(Path(file)) for file in account.test_files),
        training=account.training,
        validation=account.validation,
        unlabelled=account.unlabelled,
        unlabelled_files=_rows_by_name(account.unlabelled_files),
        teachers=tuple(folder.resolve().name for folder in teachers),
        kept_out_sha256=prepared.kept_out_sha256,
    )


def _rows_by_name(files: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    rows = Counter[str]()
    for file, found in files.items():
        rows[name_of(Path(file))] += found["rows"]
    return dict(rows)


def doubts(folders: Iterable[Path], prepared: Prepared) -> Iterator[str]:
    """Yield a sentence for each model to learn from that may know texts of test or validation.

    It may where it was trained or pretrained here with other texts kept out. Of a folder without a
    manifest nothing is known, and nothing said.
    """
    for folder in folders:
        file = next(
            (folder / name for name in (MANIFEST, PRETRAINED) if (folder / name).is_file()), None
        )
        if file is None:
            continue
        data = msgspec.json.decode(file.read_bytes(), type=_Manifest).data
        if data is None or data.kept_out_sha256 != prepared.kept_out_sha256:
            yield (
                f"{folder} was trained with other test and validation texts kept out than these: "
                f"figures on them may flatter"
            )
