"""Label files read twice: is the text that a replay publishes the text that training reads?

`python -m tests.label_texts FOLDER` (or a file) prints the counts of every label file in it as one
JSON document. Exit 1 where a row differs, or is learned from and cannot be published.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from model_server.cleaning import CLEANING
from producers.archives.inputs import Input
from producers.formats.archive_format import FormatOptions, parse_record
from producers.parsing.faults import Unparsable
from producers.parsing.field_values import tweet_text
from producers.replay.inspect_files import prepare_files
from producers.replay.positions import FilePosition
from producers.replay.record_reader import RecordReader
from retrain.datasets.reading import UnusableLabels, read_labelled, read_texts
from schemas.events import TweetPosted
from schemas.label_files.tweeteval import LABELS_ENDING, MAPPING

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ENDINGS = (".tsv", ".csv", ".txt")


@dataclass
class TextCounts:
    """How many rows of a file have the same text on both sides.

    `same_unescaped` have it once HTML entities are unescaped, as a replay does with the text of
    every tweet, and as the cleaning does for the model. `cleaned_otherwise` of them read
    otherwise to the model, for their entities were escaped more often than it unescapes.
    """

    format: str
    same: int = 0
    same_unescaped: int = 0
    cleaned_otherwise: int = 0
    different: int = 0
    only_in_training: int = 0
    only_in_replay: int = 0

    @property
    def agree(self) -> bool:
        """Whether all that training reads is published, as the text that it reads."""
        return not self.different and not self.only_in_training


def compare_texts(path: Path) -> TextCounts:
    """Read a label file as training and as a replay do, and compare the texts line by line."""
    try:
        learned = {row.line: row.text for row in read_labelled(path, labels=None).rows}
        options, format_name = FormatOptions(), None
    except UnusableLabels:
        # No labels: a text a line, as a lone column is.
        (unlabelled,) = read_texts(path)
        learned = dict(enumerate(unlabelled.texts, start=1))
        options, format_name = FormatOptions(columns=("text",)), "tsv"
    read_as, published = _published(path, options, format_name)
    if format_name is not None:
        # Blank lines count on neither side.
        published = dict(enumerate(published.values(), start=1))
    counts = TextCounts(read_as)
    for line in sorted({*learned, *published}):
        _count(learned.get(line), published.get(line), counts)
    return counts


def _count(learned: str | None, published: str | None, counts: TextCounts) -> None:
    if learned is None:
        counts.only_in_replay += 1
    elif published is None:
        counts.only_in_training += 1
    elif published == learned:
        counts.same += 1
    elif published == _unescaped(learned):
        counts.same_unescaped += 1
        clean = CLEANING[list(CLEANING)[-1]]
        counts.cleaned_otherwise += clean(published) != clean(learned)
    else:
        counts.different += 1


def _unescaped(text: str) -> str | None:
    try:
        return tweet_text(text)
    except Unparsable:
        return None


def _published(
    path: Path, options: FormatOptions, format_name: str | None
) -> tuple[str, dict[int, str]]:
    """Return how a replay reads a file, and the texts that it publishes, by their first lines."""
    ((prepared,), _) = prepare_files([Input(path, named=True)], options, format_name, force=True)
    texts: dict[int, str] = {}
    with path.open("rb") as file:
        reading = RecordReader(prepared, file, run="label-texts", run_started_at=NOW)
        for placed in reading.records(FilePosition()):
            assert placed is not None
            for event in parse_record(placed.reader, placed.record, placed.origin, NOW).events:
                assert isinstance(event, TweetPosted)
                texts[placed.record.line] = event.text
    return prepared.format_name, texts


def files_in(path: Path) -> list[Path]:
    """Return a file itself, or the label files of a folder and its folders, by name."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in ENDINGS
        and file.name != MAPPING
        and not file.name.endswith(LABELS_ENDING)
    )


def main() -> int:
    """Compare all files and print the counts; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.label_texts")
    parser.add_argument("folder", type=Path, help="a label file, or a folder of them")
    folder: Path = parser.parse_args().folder
    files = files_in(folder)
    if not files:
        parser.error(f"there is no label file in {folder}")
    beside = folder if folder.is_dir() else folder.parent
    counts = {str(file.relative_to(beside)): compare_texts(file) for file in files}
    found = {name: asdict(each) for name, each in counts.items()}
    print(json.dumps(found, indent=2))  # noqa: T201
    return 0 if all(each.agree for each in counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
