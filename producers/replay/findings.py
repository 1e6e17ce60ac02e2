"""What was noticed of the tweets of a file, beside what became of them."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from producers.formats.archive_format import TellsOfItself
from producers.formats.json_documents import DocumentReader
from producers.formats.other_names import time_named
from producers.formats.rows import RowReader
from producers.formats.table_columns import listed
from producers.parsing.provenance import Parsed
from producers.replay.advice import Advice
from producers.replay.record_reader import Placed
from producers.replay.repeated_ids import RepeatedIds
from schemas.events import TweetPosted

_MISREAD: Final = re.compile(
    "\u00c3[\u0080-\u00bf]|\u00c2[\u0080-\u00bf]|\u00e2\u20ac|\u00f0\u0178"
)
"""What two bytes of UTF-8 look like where they were read as Latin-1 or Windows-1252."""

_FEW_MISREAD: Final = 3
_MOST_LABELS: Final = 100
_MOST_LABELS_NAMED: Final = 6
_OF_SENTIMENT: Final = ("negative", "neutral", "positive")
"""The labels of the bundles that Murmur brings."""


@dataclass
class Findings:
    """Counts tweets with other times than their ids' and without any, dropped fields, repeated ids.

    `passed_over` and `taken_for` are names of columns, in the order in which they were met.
    `labels` counts the tweets of the labels that people gave; of very many only some have a count.
    """

    overruled_times: int = 0
    untimed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    passed_over: dict[str, None] = field(default_factory=dict)
    taken_for: dict[str, str] = field(default_factory=dict)
    swallowed_lines: int = 0
    swallowed_first: str = ""
    misread_texts: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    advice: Advice = field(default_factory=Advice)
    ids: RepeatedIds = field(default_factory=RepeatedIds)
    _reader: object = None

    def add(self, placed: Placed, parsed: Parsed) -> None:
        """Take in what a record became."""
        self.overruled_times += parsed.overruled_times
        self.untimed += parsed.untimed
        if parsed.refused:
            reader = placed.reader
            fields = reader.fields if isinstance(reader, TellsOfItself) else ()
            self.advice.add((each.detail for each in parsed.refused), fields)
        if parsed.swallowed_lines:
            self.swallowed_lines += parsed.swallowed_lines
            self.swallowed_first = self.swallowed_first or f"line {placed.record.line}"
        if parsed.dropped:
            self.dropped.update(parsed.dropped)
        if placed.reader is not self._reader:
            self._reader = placed.reader
            if isinstance(placed.reader, RowReader):
                columns = placed.reader.columns
                self.passed_over.update(dict.fromkeys(columns.passed_over))
                self.taken_for.update(columns.taken_for)
            elif isinstance(placed.reader, DocumentReader):
                self.passed_over.update(dict.fromkeys(placed.reader.passed_over))
                self.taken_for.update(placed.reader.taken_for)
        for event in parsed.events:
            if isinstance(event, TweetPosted):
                self.ids.add(event)
                self._note_label(event.label)
                text = event.text
                self.misread_texts += not text.isascii() and _MISREAD.search(text) is not None

    def _note_label(self, label: str | None) -> None:
        if label is not None and (label in self.labels or len(self.labels) < _MOST_LABELS):
            self.labels[label] += 1

    def sentences(self) -> list[str]:
        """Return what a person should know of the rows and ids of this file."""
        said = []
        if self.swallowed_lines:
            said.append(
                f"quoted texts take in {self.swallowed_lines:,} lines that look like rows (the "
                f"first begins at {self.swallowed_first}), as below a stray quote: if they are, "
                "--no-quoting reads each line as a row"
            )
        if self.misread_texts >= _FEW_MISREAD:
            said.append(
                f"{self.misread_texts:,} texts look as if their UTF-8 was once read as another "
                "encoding (\u00c3\u00bc for \u00fc): export them again as UTF-8"
            )
        times = time_named(tuple(self.passed_over)) if self.untimed else None
        if times is not None:
            said.append(
                f"the tweets without a time may have one in {times}: --columns created_at={times} "
                "reads it"
            )
        said += [f"what helps: {each}" for each in self.advice.sentences]
        return [*said, *self.ids.sentences()]

    def as_json(self) -> dict[str, object]:
        """Return what was noticed as a program reads it."""
        return {
            "overruled_times": self.overruled_times,
            "without_a_time": self.untimed,
            "dropped_fields": dict(sorted(self.dropped.items())),
            "lines_within_texts_like_rows": self.swallowed_lines,
            "columns_passed_over": list(self.passed_over),
            "columns_taken_for": self.taken_for,
            "misread_texts": self.misread_texts,
            "advice": list(self.advice.sentences),
            "repeated_ids": self.ids.repeats,
            "rounded_ids": self.ids.lost_digits,
        }


def sentences_on(named: Iterable[tuple[str, Findings]]) -> list[str]:
    """Return what a person should know of the files, each sentence about all of them."""
    files = list(named)
    total = Counter[str]()
    for _, each in files:
        total.update(each.dropped)
    said = []
    overruled = sum(each.overruled_times for _, each in files)
    if overruled:
        said.append(
            f"{overruled:,} tweets have a created_at other than the time in their id; the id's "
            "time is used"
        )
    untimed = sum(each.untimed for _, each in files)
    if untimed:
        said.append(f"{untimed:,} tweets have no time of their own; the start of the run is used")
    if total:
        counted = ", ".join(f"{count:,} {name}" for name, count in total.most_common())
        said.append(f"fields that could not be read and were left out: {counted}")
    said += _on_labels(each.labels for _, each in files)
    columns: dict[str, list[str]] = {}
    for name, each in files:
        if each.taken_for:
            taken = ", ".join(f"{column} as {known}" for column, known in each.taken_for.items())
            columns.setdefault(f"columns read under another name: {taken}", []).append(name)
        if each.passed_over:
            passed = listed(tuple(each.passed_over))
            columns.setdefault(
                f"columns that were not read: {passed} (--columns label=NAME reads one as label)",
                [],
            ).append(name)
    said += [f"{_shown(names)}: {what}" for what, names in columns.items()]
    for name, each in files:
        said += [f"{name}: {sentence}" for sentence in each.sentences()]
    return said


def _on_labels(of_files: Iterable[Counter[str]]) -> list[str]:
    """Name the labels where some are none of the bundles that Murmur brings."""
    labels = Counter[str]()
    for each in of_files:
        labels.update(each)
    if labels.keys() <= set(_OF_SENTIMENT):
        return []
    most = labels.most_common(_MOST_LABELS_NAMED)
    counted = ", ".join(f"{tweets:,} {label!r}" for label, tweets in most)
    more = ", …" if len(labels) > len(most) else ""
    said = (
        f"labels that people gave: {counted}{more}; a model uses those that are spelled as its own "
        f"(of the bundles that Murmur brings: {', '.join(_OF_SENTIMENT)})"
    )
    return [said]


def _shown(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1:,} more" if len(names) > 1 else names[0]
