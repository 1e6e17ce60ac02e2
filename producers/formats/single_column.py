"""A table of one column, in which nothing stands between cells: CSV, or a plain text a line?"""

import re
from itertools import islice
from typing import Final

from producers.archives.lines import LineReader
from producers.formats.archive_format import FormatOptions
from producers.formats.quoted_rows import cells_of, quoted_records
from producers.parsing.faults import Unparsable
from schemas.failures import Failure

_ROWS: Final = 100
_NAMED_CSV: Final = re.compile(r"\.csv(\.(gz|bz2|zst))?$", re.IGNORECASE)
_NAMED_TSV: Final = re.compile(r"\.tsv(\.(gz|bz2|zst))?$", re.IGNORECASE)
_NEEDS_QUOTES: Final = re.compile(r'[,"\r\n\t]|^\s|\s$|^$')


def lone_column_is_csv(beginning: bytes, options: FormatOptions) -> bool:
    """Tell whether the rows of a table of one column are quoted as CSV is, by name and content.

    Raises `Failure` where both may be meant: taken wrongly, the quotes would become part of the
    texts, or texts would lose theirs.
    """
    if options.quoting is not None:
        return options.quoting
    if _NAMED_CSV.search(options.file_name):
        return True
    rows = quoted_records(iter(LineReader([beginning])), ",")
    raws = [row.raw for row in islice(rows, _ROWS) if row.raw.strip()]
    header = [] if options.columns is not None else raws[:1]
    texts = raws[len(header) :]
    quoted = [text for text in texts if text.startswith(b'"')]
    cells = [_only_cell(text) for text in quoted]
    if texts and not any(cell is not None for cell in cells) and not _quoted(header):
        return False
    fits = all(_only_cell(text) is not None for text in texts)
    meant = len(quoted) == len(texts) or all(_NEEDS_QUOTES.search(cell or "") for cell in cells)
    if texts and fits and meant and not _NAMED_TSV.search(options.file_name):
        return True
    raise Failure(
        "its only column may be CSV or plain text with quotes of its own: choose --format csv or "
        "--format tsv"
    )


def _quoted(header: list[bytes]) -> bool:
    return any(name.startswith(b'"') for name in header)


def _only_cell(raw: bytes) -> str | None:
    try:
        cells = cells_of(raw, ",", quoting=True)
    except Unparsable:
        return None
    return cells[0] if len(cells) == 1 else None
