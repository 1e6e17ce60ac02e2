"""CSV and TSV with named columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from producers.archives.line_ends import lines_of
from producers.archives.lines import LineReader
from producers.archives.records import Lines, Record, Unreadable
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.other_names import TEXTS, first_of
from producers.formats.quoted_rows import QUOTED_READING, cells_of, quoted_records
from producers.formats.rows import REPEATED_HEADER, Row, RowReader, without_header
from producers.formats.single_column import lone_column_is_csv
from producers.formats.swallowed_rows import lines_like_rows, row_test
from producers.formats.table_columns import TableColumns, table_columns
from producers.formats.table_header import (
    column_names,
    fault_of_header,
    fault_of_names,
    first_line,
    first_rows,
)
from producers.parsing.faults import Unparsable
from schemas.codec import Reason
from schemas.failures import Failure
from schemas.label_files.delimited import escapes_by_backslash, unwrapped

_ROWS: Final = 100
_MOST_HEADER_BYTES: Final = 1_000
_BELOW_ANOTHER: Final = "it stands below a header with its columns in other order"


@dataclass(frozen=True)
class _Columns:
    """How rows are read. `places` says where each known column stands; `header` is empty for none.

    With `unwraps`, quotes that wrap a whole cell are no part of it. With `escaped`, backslashes
    escape quotes within quoted cells. `fuller` is the place of a column that may have more of a
    text.
    """

    places: Mapping[str, int]
    header: tuple[str, ...]
    width: int
    delimiter: str
    quoting: bool
    unwraps: bool
    escaped: bool
    fuller: int | None = None

    def rows(self, lines: Lines) -> Iterator[Record]:
        """Yield the rows after the header; a quoted text may go over several lines."""
        rows = lines
        if self.quoting:
            is_row = row_test(self.places, self.width, self.delimiter)
            rows = quoted_records(lines, self.delimiter, is_row=is_row, escaped=self.escaped)
        return self._above_another_header(without_header(rows)) if self.header else rows

    def _above_another_header(self, rows: Iterator[Record]) -> Iterator[Record]:
        """Yield the rows, those below a header with other columns as unreadable."""
        fault = None
        for row in rows:
            yield row if fault is None else row._replace(unreadable=row.unreadable or fault)
            if fault is None and b"text" in row.raw[:_MOST_HEADER_BYTES].lower():
                names = column_names(
                    row.raw.decode(errors="replace"), self.delimiter, quoting=self.quoting
                )
                if names != self.header and self._is_header(names):
                    fault = Unreadable(Reason.UNREADABLE_LINE, _BELOW_ANOTHER)

    def _is_header(self, names: Sequence[str]) -> bool:
        return self.width > 1 and sorted(names) == sorted(self.header)

    def row(self, raw: bytes) -> Row | str:
        """Return the values of the known columns, or that the header stands here again."""
        cells = cells_of(raw, self.delimiter, quoting=self.quoting, escaped=self.escaped)
        while len(cells) > self.width and not cells[-1].strip():
            cells.pop()
        if len(cells) != self.width:
            detail = f"{len(cells)} columns instead of {self.width}"
            raise Unparsable(Reason.UNREADABLE_LINE, detail)
        if self.header and cells[self.places["text"]].strip(' "').lower() in self.header:
            names = tuple(cell.strip().strip('"').strip().lower() for cell in cells)
            if names == self.header:
                return REPEATED_HEADER
            if self._is_header(names):
                raise Unparsable(Reason.UNREADABLE_LINE, "a header with its columns in other order")
        values = {name: cells[place] for name, place in self.places.items()}
        if self.fuller is not None and len(cells[self.fuller]) > len(values["text"]):
            values["text"] = cells[self.fuller]
        if self.unwraps and b'"' in raw:
            values = {name: unwrapped(cell) for name, cell in values.items()}
        swallowed = lines_like_rows(raw, self.width, self.delimiter) if b"\n" in raw else 0
        return Row(values, swallowed_lines=swallowed)


def _recognises(beginning: bytes, options: FormatOptions, *, delimiters: Sequence[str]) -> bool:
    return any(_is_parted_by(delimiter, beginning, options) for delimiter in delimiters)


def _delimiter(beginning: bytes, options: FormatOptions, delimiters: Sequence[str]) -> str:
    """Return which delimiter parts the rows, the first where nothing shows it."""
    known = [each for each in delimiters if _is_parted_by(each, beginning, options)]
    if options.columns is not None and len(known) > 1:
        width = len(options.columns)
        rows = lines_of(beginning)[:_ROWS]
        return max(known, key=lambda each: sum(_is_whole(row, each, width) for row in rows))
    return next(iter(known), delimiters[0])


def _is_parted_by(delimiter: str, beginning: bytes, options: FormatOptions) -> bool:
    first = first_line(beginning)
    if options.columns is not None:
        width = len(options.columns)
        recognised = first.count(delimiter) >= width - 1
    else:
        names = column_names(first, delimiter, quoting=True)
        width = len(names)
        meant = dict(options.mapping).get("text")
        recognised = (
            meant.lower() in names
            if meant is not None
            else "text" in names or (width > 1 and first_of(names, TEXTS) is not None)
        )
    if not recognised or width > 1:
        return recognised
    # Nothing else tells a picture from texts a line, where a person names the column.
    if b"\0" in beginning:
        return False
    return lone_column_is_csv(beginning, options) == (delimiter != "\t")


def _reader(
    beginning: bytes, options: FormatOptions, *, delimiters: Sequence[str], quoting: bool
) -> RowReader:
    delimiter = _delimiter(beginning, options, delimiters)
    if options.quoting is not None:
        quoting = options.quoting
    names = options.columns or column_names(first_line(beginning), delimiter, quoting=True)
    by_content = delimiter == "\t" and options.quoting is None and len(names) > 1
    if by_content:
        quoting = _quotes_are_csv(beginning, delimiter, len(names))
    escaped = quoting and _escapes_by_backslash(beginning, delimiter)
    by_position = options.columns is not None
    rows = (
        ()
        if by_position
        else first_rows(beginning, delimiter, names, quoting=quoting, escaped=escaped)
    )
    columns = table_columns(names, options.mapping, rows, by_position=by_position)
    if "text" not in columns.read:
        if options.columns is None:
            raise Failure(fault_of_header(beginning) or fault_of_names(names, rows))
        raise Failure(
            "there is no column named text: name the columns in order, for example --columns "
            "id,label,text"
        )
    read = _Columns(
        places={known: names.index(name) for known, name in columns.read.items()},
        header=() if options.columns is not None else names,
        width=len(names),
        delimiter=delimiter,
        quoting=quoting,
        # A lone column that is no CSV is a plain text a line, and its quotes are the person's.
        unwraps=by_content and not quoting,
        escaped=escaped,
        fuller=None if columns.fuller is None else names.index(columns.fuller),
    )
    return RowReader(
        read.rows,
        read.row,
        columns,
        options.day_order,
        reading=_reading(
            columns, delimiter, quoting=quoting, by_content=by_content, escaped=escaped
        ),
    )


def _reading(
    columns: TableColumns, delimiter: str, *, quoting: bool, by_content: bool, escaped: bool
) -> str:
    taken = "".join(f" {known}={name}" for name, known in columns.taken_for)
    quoted = f"{QUOTED_READING * quoting}{' quoted' * (quoting and by_content)}"
    return f"{quoted}{' semicolons' * (delimiter == ';')}{' escaped' * escaped}{taken}"


def _escapes_by_backslash(beginning: bytes, delimiter: str) -> bool:
    *lines, _ = lines_of(beginning)
    return escapes_by_backslash(
        [line.decode(errors="replace") for line in lines[: 10 * _ROWS]], delimiter
    )


def _quotes_are_csv(beginning: bytes, delimiter: str, width: int) -> bool:
    """Tell whether a table by tabs is quoted as CSV is: whether more of its rows are whole so."""
    if b'"' not in beginning:
        return False
    *lines, cut = [line for line in lines_of(beginning)[: 10 * _ROWS] if line.strip()] or [b""]
    lines = lines[:_ROWS] or [cut]
    rows = islice(quoted_records(iter(LineReader([b"\n".join(lines)])), delimiter), _ROWS)
    plain = sum(line.count(delimiter.encode()) != width - 1 for line in lines)
    quoted = sum(not _is_whole(row.raw, delimiter, width) for row in rows)
    return quoted < plain


def _is_whole(raw: bytes, delimiter: str, width: int) -> bool:
    try:
        return len(cells_of(raw, delimiter, quoting=True)) == width
    except Unparsable:
        return False


TSV: Final = ArchiveFormat(
    "tsv",
    "tab-separated values with named columns; quotes are CSV's where the rows show it",
    partial(_recognises, delimiters=("\t",)),
    partial(_reader, delimiters=("\t",), quoting=False),
)
CSV: Final = ArchiveFormat(
    "csv",
    "comma-separated values with named columns; semicolons where the header has those",
    partial(_recognises, delimiters=(",", ";")),
    partial(_reader, delimiters=(",", ";"), quoting=True),
)
