"""sentiment140's CSV: no header; label, id, date, query, user and text, each quoted.

Source: Go, Bhayani and Huang (2009); the labels were made from emoticons: 0 negative, 2 neutral,
4 positive.
"""

import re
from functools import partial
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_sniffing import first_lines
from producers.formats.quoted_rows import QUOTED_READING, cells_of, quoted_records
from producers.formats.rows import Row, RowReader
from producers.parsing.faults import Unparsable
from schemas.codec import Reason

_LABELS: Final = {"0": "negative", "2": "neutral", "4": "positive"}
_ROW: Final = re.compile(
    rb'"?[024]"?,"?[0-9]+"?,"?[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} [0-9:]{8} [A-Z]{3,4} [0-9]{4}"?,'
)


def _row(raw: bytes) -> Row:
    """A row that is no UTF-8 is Latin-1. The user is a name, no id, and is not kept."""
    cells = cells_of(raw, ",", quoting=True, otherwise="latin-1")
    if len(cells) != 6:
        raise Unparsable(Reason.UNREADABLE_LINE, f"{len(cells)} columns instead of 6")
    label, own_id, created_at, _query, _user, text = cells
    if label.strip() not in _LABELS:
        raise Unparsable(Reason.INVALID_EVENT, "the label is not 0, 2 or 4")
    return Row(
        {"id": own_id, "created_at": created_at, "text": text, "label": _LABELS[label.strip()]}
    )


def _is_row(raw: bytes) -> bool:
    return _ROW.match(raw) is not None


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    lines = first_lines(beginning)
    return options.columns is None and any(_ROW.match(line) for line in lines)


SENTIMENT140: Final = ArchiveFormat(
    "sentiment140",
    "sentiment140's CSV without a header, labels 0, 2 and 4, in Latin-1",
    _recognises,
    lambda _beginning, _options: RowReader(
        partial(quoted_records, delimiter=",", is_row=_is_row), _row, reading=QUOTED_READING
    ),
)
