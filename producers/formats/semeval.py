"""SemEval's sentiment task, subtask A: `id TAB label TAB text`, no header, quotes plain text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.archives.records import Lines, Record
from producers.border.faults import Unparsable
from producers.border.origin import Origin, Parsed
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.delimited import BLANK_LINE
from producers.formats.json_beginning import first_lines
from producers.formats.named_values import tweet_of_values
from producers.formats.quoted_rows import cells_of
from schemas.codec import Reason

NOT_AVAILABLE: Final = "not-available"
_ROW: Final = re.compile(rb"[0-9]{1,20}\t(positive|negative|neutral)\t")


@dataclass(frozen=True)
class SemEvalReader:
    """Reads rows. A tab at the end of a row is no part of its text."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield each line."""
        return lines

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of a row; `Not Available` stands where it was gone already."""
        if not record.raw.strip():
            return Parsed(skipped=[BLANK_LINE])
        cells = cells_of(record.raw, "\t", quoting=False)
        if len(cells) < 3:
            raise Unparsable(Reason.UNREADABLE_LINE, f"{len(cells)} columns instead of 3")
        text = "\t".join(cells[2:]).rstrip("\t")
        if text.strip() == "Not Available":
            return Parsed(skipped=[NOT_AVAILABLE])
        row = {"id": cells[0], "label": cells[1], "text": text}
        return Parsed(
            [tweet_of_values(row, origin=origin, received_at=received_at, line=record.line)]
        )


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    lines = first_lines(beginning)
    return options.columns is None and any(_ROW.match(line) for line in lines)


SEMEVAL: Final = ArchiveFormat(
    "semeval",
    "SemEval's id, label and text by tabs, without a header",
    _recognises,
    lambda _beginning, _options: SemEvalReader(),
)
