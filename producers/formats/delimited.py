"""CSV and TSV with named columns."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from producers.archives.records import Lines, Record
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.lone_column import lone_column_is_csv
from producers.formats.named_values import COLUMNS
from producers.formats.quoted_rows import cells_of, quoted_records
from producers.formats.rows import Row, RowReader, without_header
from producers.formats.table_header import column_names, fault_of_header, fault_of_names, first_line
from producers.parsing.faults import Unparsable
from schemas.codec import Reason
from schemas.failures import Failure
from schemas.label_files.delimited import unwrapped


@dataclass(frozen=True)
class _Columns:
    """How rows are read. `places` says where each known column stands among `width` columns.

    With `unwraps`, quotes that wrap a whole cell are no part of it.
    """

    places: Mapping[str, int]
    width: int
    delimiter: str
    quoting: bool
    unwraps: bool
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
        values = {name: cells[place] for name, place in self.places.items()}
        if self.unwraps and b'"' in raw:
            values = {name: unwrapped(cell) for name, cell in values.items()}
        return Row(values)


def _recognises(beginning: bytes, options: FormatOptions, *, delimiter: str) -> bool:
    first = first_line(beginning)
    if options.columns is not None:
        width = len(options.columns)
        recognised = first.count(delimiter) >= width - 1
    else:
        names = column_names(first, delimiter, quoting=True)
        width = len(names)
        recognised = "text" in names
    if not recognised or width > 1:
        return recognised
    # Nothing else tells a picture from texts a line, where a person names the column.
    if b"\0" in beginning:
        return False
    return lone_column_is_csv(beginning, options) == (delimiter == ",")


def _reader(
    beginning: bytes, options: FormatOptions, *, delimiter: str, quoting: bool
) -> RowReader:
    quoting = quoting if options.quoting is None else options.quoting
    names = options.columns or column_names(first_line(beginning), delimiter, quoting=quoting)
    known = [name for name in names if name in COLUMNS]
    if "text" not in known:
        if options.columns is None:
            raise Failure(fault_of_header(beginning) or fault_of_names(names))
        raise Failure(
            "there is no column named text: name the columns in order, for example --columns "
            "id,label,text"
        )
    twice = [name for name, times in Counter(known).items() if times > 1]
    if twice:
        raise Failure(f"the column {twice[0]} is named twice: rename one, with --columns")
    columns = _Columns(
        places={name: names.index(name) for name in known},
        width=len(names),
        delimiter=delimiter,
        quoting=quoting,
        # A lone column that is no CSV is a plain text a line, and its quotes are the person's.
        unwraps=delimiter == "\t" and options.quoting is None and len(names) > 1,
        has_header=options.columns is None,
    )
    return RowReader(columns.rows, columns.row)


TSV: Final = ArchiveFormat(
    "tsv",
    "tab-separated values with named columns; only quotes around a whole cell are taken off",
    partial(_recognises, delimiter="\t"),
    partial(_reader, delimiter="\t", quoting=False),
)
CSV: Final = ArchiveFormat(
    "csv",
    "comma-separated values with named columns",
    partial(_recognises, delimiter=","),
    partial(_reader, delimiter=",", quoting=True),
)
