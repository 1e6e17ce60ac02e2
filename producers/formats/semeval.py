"""SemEval's sentiment task, subtask A: `id TAB label TAB text`, no header, quotes plain text."""

import re
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_sniffing import first_lines
from producers.formats.quoted_rows import row_text
from producers.formats.rows import Row, RowReader, each_line
from producers.formats.table_header import column_names, first_line
from producers.parsing.faults import Unparsable
from schemas.codec import Reason
from schemas.label_files.row import Fault, fault_of_text
from schemas.label_files.semeval import semeval_row

NOT_AVAILABLE: Final = "not-available"
_ROW: Final = re.compile(rb"[0-9]{1,20}\t(positive|negative|neutral)\t")


def _row(raw: bytes) -> Row | str:
    row = semeval_row(row_text(raw))
    fault = fault_of_text(row)
    if fault is Fault.MISSING_COLUMN:
        columns = raw.count(b"\t") + 1
        raise Unparsable(Reason.UNREADABLE_LINE, f"{columns} columns instead of 3")
    if fault is Fault.NOT_AVAILABLE:
        return NOT_AVAILABLE
    return Row({"id": row.id, "label": row.label, "text": row.text})


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    """A table with a header may have the same columns, but not the same escapes."""
    if options.columns is not None or _has_header(beginning):
        return False
    return any(_ROW.match(line) for line in first_lines(beginning))


def _has_header(beginning: bytes) -> bool:
    header = first_line(beginning)
    return any("text" in column_names(header, delimiter, quoting=True) for delimiter in "\t,")


SEMEVAL: Final = ArchiveFormat(
    "semeval",
    "SemEval's id, label and text by tabs, without a header",
    _recognises,
    lambda _beginning, _options: RowReader(each_line, _row),
)
