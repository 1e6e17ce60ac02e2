"""SemEval's sentiment task, subtask A: `id TAB label TAB text`, no header, quotes plain text."""

import re
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_beginning import first_lines
from producers.formats.quoted_rows import cells_of
from producers.formats.rows import Row, RowReader, each_line
from producers.parsing.faults import Unparsable
from schemas.codec import Reason

NOT_AVAILABLE: Final = "not-available"
_ROW: Final = re.compile(rb"[0-9]{1,20}\t(positive|negative|neutral)\t")


def _row(raw: bytes) -> Row | str:
    """A tab at the end is no part of the text; `Not Available` stands where it was gone already."""
    cells = cells_of(raw, "\t", quoting=False)
    if len(cells) < 3:
        raise Unparsable(Reason.UNREADABLE_LINE, f"{len(cells)} columns instead of 3")
    text = "\t".join(cells[2:]).rstrip("\t")
    if text.strip() == "Not Available":
        return NOT_AVAILABLE
    return Row({"id": cells[0], "label": cells[1], "text": text})


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    lines = first_lines(beginning)
    return options.columns is None and any(_ROW.match(line) for line in lines)


SEMEVAL: Final = ArchiveFormat(
    "semeval",
    "SemEval's id, label and text by tabs, without a header",
    _recognises,
    lambda _beginning, _options: RowReader(each_line, _row),
)
