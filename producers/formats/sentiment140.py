"""sentiment140's CSV: no header; label, id, date, query, user and text, each quoted.

Source: Go, Bhayani and Huang (2009); the labels were made from emoticons: 0 negative, 2 neutral,
4 positive.
"""

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
from producers.formats.quoted_rows import cells_of, quoted_records
from schemas.codec import Reason

_LABELS: Final = {"0": "negative", "2": "neutral", "4": "positive"}
_ROW: Final = re.compile(
    rb'"?[024]"?,"?[0-9]+"?,"?[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} [0-9:]{8} [A-Z]{3,4} [0-9]{4}"?,'
)


@dataclass(frozen=True)
class Sentiment140Reader:
    """Reads rows of six cells. A row that is no UTF-8 is taken to be Latin-1."""

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield the rows."""
        return quoted_records(lines, ",")

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of a row, its label as a person's.

        The user is a name, which is no id of an account, and is not kept; nor is the query.
        """
        if not record.raw.strip():
            return Parsed(skipped=[BLANK_LINE])
        cells = cells_of(record.raw, ",", quoting=True, otherwise="latin-1")
        if len(cells) != 6:
            raise Unparsable(Reason.UNREADABLE_LINE, f"{len(cells)} columns instead of 6")
        label, own_id, created_at, _query, _user, text = cells
        if label.strip() not in _LABELS:
            raise Unparsable(Reason.INVALID_EVENT, "the label is none of 0, 2 and 4")
        row = {
            "id": own_id, "created_at": created_at, "text": text, "label": _LABELS[label.strip()],
        }  # fmt: skip
        return Parsed(
            [tweet_of_values(row, origin=origin, received_at=received_at, line=record.line)]
        )


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    lines = first_lines(beginning)
    return options.columns is None and any(_ROW.match(line) for line in lines)


SENTIMENT140: Final = ArchiveFormat(
    "sentiment140",
    "sentiment140's CSV without a header, labels 0, 2 and 4, in Latin-1",
    _recognises,
    lambda _beginning, _options: Sentiment140Reader(),
)
