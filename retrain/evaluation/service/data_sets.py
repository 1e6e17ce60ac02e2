"""What the model may be measured on: the stored audits of a run, or a label file of the settings.

A call names a file; it cannot name a path, so that it reads nothing that nobody offered.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from retrain.datasets.reading import label_files, read_labelled
from retrain.jobs.stored_labels import stored_labels
from schemas.failures import NotThere
from schemas.people_labels import LabelOrigin
from schemas.transport.postgres import Connection

AUDITS: Final = "audits"


class LabelledTexts(Struct, frozen=True, kw_only=True):
    """Texts with the labels that people gave them."""

    data_set: str
    run: str | None
    texts: list[str]
    labels: list[str]
    left_out: int


def audited_texts(connection: Connection, run: str, labels: Sequence[str]) -> LabelledTexts:
    """Return the audited tweets of a run whose label the model knows."""
    audits = [each for each in stored_labels(connection, run) if each.origin is LabelOrigin.AUDIT]
    known = [each for each in audits if each.label in labels]
    if not known:
        raise NotThere(f"run {run!r} has no audits: `murmur labels annotate` makes some")
    return LabelledTexts(
        data_set=AUDITS,
        run=run,
        texts=[each.text for each in known],
        labels=[each.label for each in known],
        left_out=len(audits) - len(known),
    )


def texts_of_file(name: str, paths: Sequence[str], labels: Sequence[str]) -> LabelledTexts:
    """Return the rows of the label file of this name; raise `NotThere`, which names those there."""
    files = {
        file.name: file for path in paths if Path(path).exists() for file in label_files(Path(path))
    }
    if name not in files:
        there = ", ".join([AUDITS, *sorted(files)])
        raise NotThere(
            f"there is no data set {name!r}; there are {there}"
            " (MURMUR_RETRAIN_TEST and MURMUR_RETRAIN_LABELS name files)"
        )
    read = read_labelled(files[name], labels=labels)
    return LabelledTexts(
        data_set=name,
        run=None,
        texts=[row.text for row in read.rows],
        labels=[row.label for row in read.rows],
        left_out=len(read.faults),
    )
