"""CSV and TSV with named columns."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from producers.archives.records import Lines, Record
from producers.border.faults import Unparsable
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.named_values import COLUMNS
from producers.formats.quoted_rows import cells_of, quoted_records
from producers.formats.rows import Row, RowReader, without_header
from schemas.codec import Reason
from schemas.failures import Failure

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Columns:
    """How rows are read. `places` says where each known column stands among `width` columns."""

    places: Mapping[str, int]
    width: int
    delimiter: str
    quoting: bool
    has_header: bool

    def rows(self, lines: Lines) -> Iterator[Record]:
        """Yield the rows after the header; a quoted text may go over several lines."""
        rows = quoted_records(lines, self.delimiter) if self.quoting else lines
        return without_header(rows) if self.has_header else rows

    def row(self, raw: bytes) -> Row:
        """Return the values of the known columns."""
        cells = cells_of(raw, self.delimiter, quoting=self.quoting)
        if len(cells) != self.width:
            detail = f"{len(cells)} columns instead of {self.width}"
            raise Unparsable(Reason.UNREADABLE_LINE, detail)
        return Row({name: cells[place] for name, place in self.places.items()})


def _recognises(beginning: bytes, options: FormatOptions, *, delimiter: str) -> bool:
    first = first_line(beginning)
    if options.columns is not None:
        return first.count(delimiter) >= max(1, len(options.columns) - 1)
    return "text" in _names(first, delimiter, quoting=True)


def _reader(
    beginning: bytes, options: FormatOptions, *, delimiter: str, quoting: bool
) -> RowReader:
    quoting = quoting if options.quoting is None else options.quoting
    names = options.columns or _names(first_line(beginning), delimiter, quoting=quoting)
    known = [name for name in names if name in COLUMNS]
    if "text" not in known:
        raise Failure("there is no column text: name the columns in order, --columns id,label,text")
    twice = [name for name, times in Counter(known).items() if times > 1]
    if twice:
        raise Failure(f"the column {twice[0]} is named twice: rename one, with --columns")
    columns = _Columns(
        places={name: names.index(name) for name in known},
        width=len(names),
        delimiter=delimiter,
        quoting=quoting,
        has_header=options.columns is None,
    )
    return RowReader(columns.rows, columns.row)


def first_line(beginning: bytes) -> str:
    """Return the first line that is not blank."""
    lines = beginning.removeprefix(_BOM).splitlines()
    return next((line for line in lines if line.strip()), b"").decode(errors="replace")


def _names(header: str, delimiter: str, *, quoting: bool) -> tuple[str, ...]:
    try:
        names = cells_of(header.encode(), delimiter, quoting=quoting)
    except Unparsable:
        names = header.split(delimiter)
    return tuple(name.strip().strip('"').lower() for name in names)


TSV: Final = ArchiveFormat(
    "tsv",
    "tab-separated values with named columns; quotes are plain text",
    partial(_recognises, delimiter="\t"),
    partial(_reader, delimiter="\t", quoting=False),
)
CSV: Final = ArchiveFormat(
    "csv",
    "comma-separated values with named columns",
    partial(_recognises, delimiter=","),
    partial(_reader, delimiter=",", quoting=True),
)
