"""Kaggle's "Customer Support on Twitter": twcs.csv, with a header and small ids of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.archives.records import Lines, Record
from producers.border.faults import Unparsable
from producers.border.origin import Origin, Parsed
from producers.border.values import tweet_id
from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.delimited import BLANK_LINE, first_line
from producers.formats.named_values import tweet_of_values
from producers.formats.quoted_rows import cells_of, quoted_records
from schemas.codec import Reason
from schemas.events import MatchedRule, Reference

_NAMES: Final = frozenset(["tweet_id", "inbound", "text", "in_response_to_tweet_id", "created_at"])
_INBOUND: Final = {"true": "inbound", "false": "outbound"}


@dataclass(frozen=True)
class CustomerSupportReader:
    """Reads rows; `names` are the header's columns in their order."""

    names: tuple[str, ...]

    def records(self, lines: Lines) -> Iterator[Record]:
        """Yield the rows after the header; a text may go over several lines."""
        header_due = True
        for row in quoted_records(lines, ","):
            if header_due and row.raw.strip():
                header_due = False
            else:
                yield row

    def parse(self, record: Record, origin: Origin, received_at: datetime) -> Parsed:
        """Return the tweet of a row.

        A customer's tweet has the rule `inbound`, a company's `outbound`, so that figures can be
        read for each. The ids hold no time: `created_at` gives the day.
        """
        if not record.raw.strip():
            return Parsed(skipped=[BLANK_LINE])
        cells = cells_of(record.raw, ",", quoting=True)
        if len(cells) != len(self.names):
            detail = f"{len(cells)} columns instead of {len(self.names)}"
            raise Unparsable(Reason.UNREADABLE_LINE, detail)
        row: dict[str, str] = dict(zip(self.names, cells, strict=True))
        answered = row["in_response_to_tweet_id"].strip()
        direction = _INBOUND.get(row["inbound"].strip().lower())
        tweet = tweet_of_values(
            {
                "id": row["tweet_id"], "text": row["text"], "created_at": row["created_at"],
                "author_id": row.get("author_id"),
            },
            origin=origin,
            received_at=received_at,
            line=record.line,
            references=(
                (Reference(kind="replied_to", tweet_id=tweet_id(_whole(answered), "answered id")),)
                if answered
                else ()
            ),
            rules=(MatchedRule(tag=direction),) if direction else (),
        )  # fmt: skip
        return Parsed([tweet])


def _whole(number: str) -> str:
    """Undo what a data frame makes of a column of numbers with gaps: `12.0` is 12."""
    return number.removesuffix(".0")


def _names(beginning: bytes) -> tuple[str, ...]:
    header = first_line(beginning).split(",")
    return tuple(name.strip().strip('"').lower() for name in header)


def _recognises(beginning: bytes, options: FormatOptions) -> bool:
    return options.columns is None and _NAMES.issubset(_names(beginning))


CUSTOMER_SUPPORT: Final = ArchiveFormat(
    "twcs",
    "Kaggle's customer support tweets (twcs.csv)",
    _recognises,
    lambda beginning, _options: CustomerSupportReader(_names(beginning)),
)
