"""TweetEval: a text a line, its label's number on the same line of the file beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from producers.archives.lines import LineReader
from producers.archives.records import Lines, Record
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.named_values import tweet_of_values
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin, Parsed
from schemas.codec import Reason
from schemas.failures import Failure
from schemas.label_files.tweeteval import (
    LABELS_ENDING,
    MAPPING,
    TEXTS_ENDING,
    label_names,
    tweeteval_row,
)

_PIECE_BYTES: Final = 128 * 1024
_MOST_LABELS: Final = 1_000
_MAX_MAPPING_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class TweetEvalReader:
    """Reads texts beside their labels; `names` are the labels' names by number."""

    labels: Path
    names: Mapping[str, str]

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield each text with its label before it, a tab between.

        Raises `Failure` where the file of labels cannot be read.
        """
        try:
            with self.labels.open("rb") as file:
                labels = iter(LineReader(iter(lambda: file.read(_PIECE_BYTES), b"")))
                for line in lines:
                    label = next(labels, None)
                    if line.unreadable is not None:
                        yield line
                    else:
                        # The first tab parts them: a number that holds one has no name.
                        number = b"" if label is None else label.raw.strip().replace(b"\t", b" ")
                        yield line._replace(raw=number + b"\t" + line.raw)
        except OSError as error:
            raise Failure(f"{self.labels}: {error.strerror}") from error

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of a line, its label as a person's, by its name."""
        raw_number, _, raw_text = record.raw.partition(b"\t")
        number = raw_number.decode(errors="replace").strip()
        try:
            text = raw_text.decode()
        except UnicodeDecodeError as error:
            detail = f"not valid UTF-8 at byte {error.start}"
            raise Unparsable(Reason.UNREADABLE_LINE, detail) from None
        if number not in self.names:
            raise Unparsable(Reason.INVALID_EVENT, "the label's number has no name in the mapping")
        row = tweeteval_row(text, number, self.names)
        values = {"text": row.text, "label": row.label}
        return Parsed(
            [tweet_of_values(values, origin=origin, received_at=received_at, line=record.line)]
        )


def labels_beside(path: Path) -> Path | None:
    """Return the file of labels of a file of texts, None where there is none."""
    if not path.name.endswith(TEXTS_ENDING):
        return None
    labels = path.with_name(path.name.removesuffix(TEXTS_ENDING) + LABELS_ENDING)
    return labels if labels.is_file() else None


def belongs_to_texts(path: Path) -> bool:
    """Tell whether a file is read along with the texts beside it, and is no archive itself."""
    if path.name.endswith(LABELS_ENDING):
        stem = path.name.removesuffix(LABELS_ENDING)
        return path.with_name(stem + TEXTS_ENDING).is_file()
    return path.name == MAPPING and any(path.parent.glob(f"*{TEXTS_ENDING}"))


def _recognises(_beginning: bytes, options: FormatOptions) -> bool:
    return options.labels is not None


def _reader(_beginning: bytes, options: FormatOptions) -> TweetEvalReader:
    labels = options.labels
    if labels is None:
        raise Failure(
            f"its file of labels is missing: the same name with {LABELS_ENDING} for {TEXTS_ENDING}"
        )
    texts = labels.with_name(labels.name.removesuffix(LABELS_ENDING) + TEXTS_ENDING)
    counts = [_lines(texts), _lines(labels)]
    if counts[0] != counts[1]:
        raise Failure(
            f"it has {counts[0]} lines and {labels.name} has {counts[1]}: each text needs one "
            "label on the same line"
        )
    return TweetEvalReader(labels, _names(labels.with_name(MAPPING), labels))


def _lines(path: Path) -> int:
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            count += piece.count(b"\n")
            last = piece[-1:]
    return count + (last != b"\n")


def _names(mapping: Path, labels: Path) -> Mapping[str, str]:
    """The names of the labels by number; where there is no mapping, numbers name themselves."""
    if not mapping.is_file():
        numbers = set()
        with labels.open("rb") as file:
            for label in LineReader(iter(lambda: file.read(_PIECE_BYTES), b"")):
                number = label.raw.strip().decode(errors="replace")
                numbers.add(number)
                if not number.isdecimal() or len(numbers) > _MOST_LABELS:
                    raise Failure(f"{labels.name} must have one number on each line")
        return {number: number for number in numbers}
    if mapping.stat().st_size > _MAX_MAPPING_BYTES:
        raise Failure(f"{mapping.name} is larger than {_MAX_MAPPING_BYTES} bytes")
    lines = mapping.read_bytes().decode("utf-8-sig", "replace").split("\n")
    return label_names(lines).by_number


TWEETEVAL: Final = ArchiveFormat(
    "tweeteval",
    "TweetEval's texts, with the file of labels beside them",
    _recognises,
    _reader,
)
