"""From label files to what training sees: cleaned, without repeats, parted, and accounted for."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_server.bundle import sha256_of
from model_server.cleaning import CLEANING
from retrain.datasets.cleaned_texts import CleanedTexts
from retrain.datasets.data_report import (
    LEAST_OF_A_LABEL,
    DataReport,
    check_copies,
    check_kept,
    check_labels,
    check_rows,
    counts,
)
from retrain.datasets.near_duplicates import near_any
from retrain.datasets.reading import label_files, read_every_text, read_labelled, read_texts
from retrain.datasets.rows import LabelledFile, UnlabelledFile, UnusableLabels
from retrain.datasets.splitting import Example, SplitBy, least_hashed, split
from retrain.datasets.tweeteval import Split, split_file

_SHARE: Final = 0.1
_SURPLUS: Final = "more than are wanted"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The label files and how they are to be read. A folder of TweetEval brings all its splits.

    No text of `test` is used, nor one that is nearly such a text. Without `validation`, a
    `validation_share` (None: a tenth) of the labels validates. `most_texts` bounds the training and
    the unlabelled texts, and by a quarter of it the validation texts, but for rare labels, of which
    enough stay.
    """

    labels: Sequence[Path]
    validation: Sequence[Path] = ()
    test: Sequence[Path] = ()
    unlabelled: Sequence[Path] = ()
    label_names: Sequence[str] | None = None
    cleaning: str = list(CLEANING)[-1]
    split_by: SplitBy = "auto"
    validation_share: float | None = None
    most_texts: int | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Distinct cleaned texts. None of training or unlabelled is nearly one of validation or test.

    `sha256` is that of the training and validation examples and the unlabelled texts, in order,
    `test_sha256` those of the test files, and `kept_out_sha256` that of the texts of validation and
    test, in whatever order.
    """

    labels: tuple[str, ...]
    training: tuple[Example, ...]
    validation: tuple[Example, ...]
    unlabelled: tuple[str, ...]
    data_report: DataReport
    sha256: str
    test_sha256: tuple[str, ...]
    kept_out_sha256: str


def prepare(sources: Sources) -> Prepared:
    """Read, clean, sift and part; raise `UnusableLabels` where training would be meaningless."""
    report, removed = DataReport(), Counter[str]()
    texts = CleanedTexts(sources.cleaning)
    files = [file for path in sources.labels for file in label_files(path)]
    read = [read_labelled(file, labels=sources.label_names, split="train") for file in files]
    labels = _labels(read, sources.label_names)
    named = _read([*sources.validation] or _splits(files, "val"), labels)
    tests = [
        file for path in [*sources.test, *_splits(files, "test")] for file in label_files(path)
    ]
    for file in (*read, *named):
        report.add_file(file)
    test_files = [read_labelled(path, labels=None) for path in tests]
    for file in test_files:
        report.add_file(file, of_test=True)
    tested = [texts.clean(text) for path in tests for text in read_every_text(path)]

    training = _apart(_distinct(read, texts, removed), tested, "of test", texts, removed)
    if named:
        if sources.split_by != "auto" or sources.validation_share is not None:
            raise UnusableLabels(
                "the files name their validation texts: there is no split to choose"
            )
        validation = _apart(_distinct(named, texts, removed), tested, "of test", texts, removed)
    else:
        training, validation = split(
            training, by=sources.split_by, share=sources.validation_share or _SHARE
        )
    validated = [example.text for example in validation]
    training = _apart(training, validated, "of validation", texts, removed)
    usable = len(training) + len(validation)
    training = _at_most(training, sources.most_texts, LEAST_OF_A_LABEL)
    validation = _at_most(validation, sources.most_texts and sources.most_texts // 4, 1)
    removed[_SURPLUS] += usable - len(training) - len(validation)
    more = [file for path in sources.unlabelled for file in read_texts(path)]
    for found in more:
        report.add_unlabelled(found)
    unlabelled = _unlabelled(more, texts, [*tested, *validated], removed)
    few = _at_most([Example(None, text, "") for text in unlabelled], sources.most_texts, 0)
    removed[f"unlabelled, {_SURPLUS}"] += len(unlabelled) - len(few)
    unlabelled = [example.text for example in few]
    report.removed = removed
    report.training = counts(training, labels)
    report.validation = counts(validation, labels)
    report.unlabelled = len(unlabelled)
    check_kept(report)
    return Prepared(
        labels=labels,
        training=tuple(training),
        validation=tuple(validation),
        unlabelled=tuple(unlabelled),
        data_report=report,
        sha256=_sha256(training, validation, unlabelled),
        test_sha256=tuple(sha256_of(file.path) for file in test_files),
        kept_out_sha256=_sha256((), (), sorted(set(texts.plain([*tested, *validated])))),
    )


def _read(files: Iterable[Path], labels: Sequence[str]) -> list[LabelledFile]:
    return [
        read_labelled(file, labels=labels, split="val")
        for path in files
        for file in label_files(path)
    ]


def _splits(files: Iterable[Path], name: Split) -> list[Path]:
    texts = (split_file(folder, name) for folder in files if folder.is_dir())
    return [file for file in texts if file.is_file()]


def _labels(files: Sequence[LabelledFile], names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the labels in the order of the first file where all have the same, else by name."""
    check_rows(files, labels_are_chosen=names is not None)
    labels = tuple(names) if names is not None else files[0].labels
    if names is None and any(set(file.labels) != set(labels) for file in files):
        labels = tuple(sorted({label for file in files for label in file.labels}))
    check_labels(labels)
    return labels


def _distinct(
    files: Iterable[LabelledFile], texts: CleanedTexts, removed: Counter[str]
) -> list[Example]:
    """Return each text once; a text whose copies have different labels is left out whole."""
    every = [Example(row.id, texts.clean(row.text), row.label) for f in files for row in f.rows]
    examples = [example for example in every if example.text]
    labels_of: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        labels_of[example.text].add(example.label)
    first = {example.text: example for example in reversed(examples)}
    kept = [e for e in examples if first[e.text] is e and len(labels_of[e.text]) == 1]
    contradicted = [text for text, labels in labels_of.items() if len(labels) > 1]
    check_copies(len(labels_of), len(contradicted))
    rows_contradicted = sum(len(labels_of[example.text]) > 1 for example in examples)
    removed["its copies have different labels"] += rows_contradicted
    removed["empty when cleaned"] += len(every) - len(examples)
    removed["repeats another"] += len(examples) - rows_contradicted - len(kept)
    return kept


def _apart(
    examples: Sequence[Example],
    others: Sequence[str],
    whose: str,
    texts: CleanedTexts,
    removed: Counter[str],
) -> list[Example]:
    exact = set(others)
    distinct = [example for example in examples if example.text not in exact]
    near = near_any(texts.plain(example.text for example in distinct), texts.plain(others))
    removed[f"a text {whose}"] += len(examples) - len(distinct)
    removed[f"nearly a text {whose}"] += int(near.sum())
    return [example for example, is_near in zip(distinct, near, strict=True) if not is_near]


def _at_most(examples: Sequence[Example], most: int | None, of_a_label: int) -> list[Example]:
    if most is None or len(examples) <= most:
        return list(examples)
    places = least_hashed(examples, most / len(examples), at_least=of_a_label)
    return [examples[place] for place in places]


def _unlabelled(
    files: Iterable[UnlabelledFile],
    texts: CleanedTexts,
    others: Sequence[str],
    removed: Counter[str],
) -> list[str]:
    cleaned = [texts.clean(text) for file in files for text in file.texts]
    distinct = list(dict.fromkeys(text for text in cleaned if text))
    near = near_any(texts.plain(distinct), texts.plain(others))
    empty = sum(not text for text in cleaned)
    removed["unlabelled, empty when cleaned"] += empty
    removed["unlabelled, repeats another"] += len(cleaned) - empty - len(distinct)
    removed["unlabelled, nearly a text of validation or test"] += int(near.sum())
    return [text for text, is_near in zip(distinct, near, strict=True) if not is_near]


def _sha256(
    training: Iterable[Example], validation: Iterable[Example], unlabelled: Iterable[str]
) -> str:
    digest = hashlib.sha256()
    for name, examples in (("training", training), ("validation", validation)):
        for example in examples:
            digest.update(repr((name, example.id, example.text, example.label)).encode())
    for text in unlabelled:
        digest.update(repr(("unlabelled", text)).encode())
    return digest.hexdigest()
