"""What helps against a fault that records have, in a sentence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from producers.formats.json_sniffing import WRAPPERS
from producers.formats.named_values import COLUMNS
from producers.formats.other_names import text_like

_COLUMNS: Final = re.compile(r"([0-9]+) columns? instead of ([0-9]+)")
_NO_IDS: Final = "--columns id=- leaves the ids out and makes new ones"
_ADVICE: Final = {
    "not valid UTF-8": "convert it first, in western Europe with `iconv -f WINDOWS-1252 -t UTF-8`",
    "id is not a valid": _NO_IDS,
    "id is neither": _NO_IDS,
    "at `$.id`": _NO_IDS,
    "created_at": (
        "write them as 2009-05-03T22:15:07+0100 (names of zones that mean several, as IST and BST, "
        "are not read), or --columns created_at=- leaves the times out; then the start of the run "
        "is used"
    ),
    "',' expected after": (
        'quotes within a quoted cell must be doubled, as "" (Spark: option escape); or --no-quoting'
    ),
    "unexpected end of data": (
        "a quote is opened there and never closed; --no-quoting takes quotes for plain text"
    ),
    "ends early": "copy or download the file again",
}


_MOST_DETAILS: Final = 100


@dataclass
class Advice:
    """What helps against the faults of a file, each sentence once."""

    sentences: dict[str, None] = field(default_factory=dict)
    _details: set[str] = field(default_factory=set)

    def add(self, details: Iterable[str], fields: tuple[str, ...]) -> None:
        """Take faults in; of a file that has hundreds of kinds the first count."""
        for detail in details:
            if detail not in self._details and len(self._details) < _MOST_DETAILS:
                self._details.add(detail)
                advice = advice_on(detail, fields, of_some=True)
                if advice is not None:
                    self.sentences.setdefault(advice)


def advice_on(detail: str, fields: tuple[str, ...], *, of_some: bool = False) -> str | None:
    """Return what helps against a fault, None where nothing is known; `fields` were found.

    It is the fault of all records that were looked at, or `of_some`.
    """
    columns = _COLUMNS.search(detail)
    if columns is not None:
        return _advice_on_columns(int(columns[1]), int(columns[2]), of_some=of_some)
    known = next((advice for mark, advice in _ADVICE.items() if mark in detail), None)
    return known or _advice_on_text(fields)


def _advice_on_text(fields: tuple[str, ...]) -> str | None:
    if {"users", "tweets"} <= set(fields):
        return "it is what X includes beside tweets: give the file of the tweets themselves"
    if "text" in fields:
        return None
    meant = text_like([name for name in fields if name not in WRAPPERS and "." not in name])
    if meant is None:
        return None
    shown = f'"{meant}"' if " " in meant else meant
    return f"--columns text={shown} names the field of the text (by name: {', '.join(COLUMNS)})"


def _advice_on_columns(of_rows: int, of_header: int, *, of_some: bool) -> str:
    if of_some and of_rows > of_header:
        return "cells that hold what separates cells must be quoted: write the file again so"
    if of_rows == of_header + 1:
        return (
            "R writes rows that begin with a name that the header lacks: write it without them "
            "(row.names = FALSE), or name the columns, for example --columns -,id,text"
        )
    return "try --quoting, --no-quoting or --columns"
