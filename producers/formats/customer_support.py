"""Kaggle's "Customer Support on Twitter": twcs.csv, with a header and small ids of its own."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from producers.archives.records import Lines, Record
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.quoted_rows import QUOTED_READING, cells_of, quoted_records
from producers.formats.rows import REPEATED_HEADER, Row, RowReader, without_header
from producers.formats.swallowed_rows import row_test
from producers.formats.table_header import first_line
from producers.parsing.faults import Unparsable
from producers.parsing.field_values import is_nothing, tweet_id, unmarked_id
from schemas.codec import Reason
from schemas.events import MatchedRule, Reference

_NAMES: Final = frozenset(["tweet_id", "inbound", "text", "in_response_to_tweet_id", "created_at"])
_ANSWERED: Final = "in_response_to_tweet_id"
_INBOUND: Final = {"true": "inbound", "false": "outbound"}


def _row(raw: bytes, *, names: tuple[str, ...]) -> Row | str:
    """A customer's tweet has the rule `inbound`, a company's `outbound`: figures for each.

    The ids hold no time: `created_at` gives the day.
    """
    cells = cells_of(raw, ",", quoting=True)
    if len(cells) != len(names):
        raise Unparsable(Reason.UNREADABLE_LINE, f"{len(cells)} columns instead of {len(names)}")
    if tuple(cell.strip().lower() for cell in cells) == names:
        return REPEATED_HEADER
    row: dict[str, str] = dict(zip(names, cells, strict=True))
    references, dropped = _answered(row["in_response_to_tweet_id"])
    direction = _INBOUND.get(row["inbound"].strip().lower())
    return Row(
        {
            "id": row["tweet_id"],
            "text": row["text"],
            "created_at": row["created_at"],
            "author_id": row.get("author_id"),
        },
        references=references,
        rules=(MatchedRule(tag=direction),) if direction else (),
        dropped=dropped,
    )


def _answered(written: str) -> tuple[tuple[Reference, ...], tuple[str, ...]]:
    """Return what a row answers; a data frame makes `12.0` of a number in a column with gaps."""
    if is_nothing(written):
        return (), ()
    try:
        answered = tweet_id(unmarked_id(written.strip()), _ANSWERED)
    except Unparsable:
        return (), (_ANSWERED,)
    return (Reference(kind="replied_to", tweet_id=answered),), ()


def _rows(lines: Lines, *, names: tuple[str, ...]) -> Iterator[Record]:
    places = {"id": names.index("tweet_id"), "created_at": names.index("created_at")}
    is_row = row_test(places, len(names), ",") if names else None
    return without_header(quoted_records(lines, ",", is_row=is_row))


def _names(beginning: bytes) -> tuple[str, ...]:
    header = first_line(beginning).split(",")
    return tuple(name.strip().strip('"').lower() for name in header)


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    return options.columns is None and _NAMES.issubset(_names(beginning))


def _reader(names: tuple[str, ...]) -> RowReader:
    rows, row = partial(_rows, names=names), partial(_row, names=names)
    return RowReader(rows, row, reading=QUOTED_READING)


CUSTOMER_SUPPORT: Final = ArchiveFormat(
    "twcs",
    "Kaggle's customer support tweets (twcs.csv)",
    _recognises,
    lambda beginning, _options: _reader(_names(beginning)),
)
