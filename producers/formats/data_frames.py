"""Data frames that pandas wrote as one object: by columns, by rows or split; their rows.

Source: `DataFrame.to_json`, `orient`. By records they are arrays, which all formats read; as a
table they are a page of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from producers.archives.json_elements import json_elements
from producers.archives.records import Lines, Record, Unreadable
from producers.formats.json_wrapping import looks_like_a_tweet
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from schemas.codec import Reason

Orient = Literal["columns", "index", "split"]

MAX_FRAME_BYTES: Final = 32 * 1024 * 1024
"""A data frame is read whole: a row's values lie far from each other."""

_ADVICE: Final = "write it with to_json(orient='records', lines=True)"
_MOST_ROWS: Final = 20
_ID_DIGITS: Final = 15


def orient_of(document: Mapping[str, Any]) -> Orient | None:
    """Return how the rows of a data frame lie in an object, None where it is none."""
    columns, data = document.get("columns"), document.get("data")
    if isinstance(columns, list) and isinstance(data, list) and "text" not in document:
        names = all(isinstance(name, str) for name in columns)
        return "split" if columns and names and all(_is_list(each) for each in data) else None
    values = list(document.values())
    if not values or not all(isinstance(each, Mapping) and each for each in values):
        return None
    if _are_numbers(document):
        return "index" if any(map(looks_like_a_tweet, values[:_MOST_ROWS])) else None
    # The index of the rows is the same in all columns, as far as these are there.
    index = list(values[0])
    same = all(list(each) == index[: len(each)] for each in values)
    nested = any(isinstance(each, Mapping) for each in values[0].values())
    return "columns" if same and not nested and _are_numbers(values[0]) else None


def rows_of(document: Mapping[str, Any], orient: Orient) -> Iterator[dict[str, Any]]:
    """Yield the rows of a data frame, values by the names of their columns."""
    if orient == "split":
        columns = document["columns"]
        for values in document["data"]:
            yield dict(zip(columns, values, strict=False))
    elif orient == "index":
        for name, row in document.items():
            # What is kept by the ids of its tweets may have them nowhere else.
            named = len(name) >= _ID_DIGITS and "id" not in row and "id_str" not in row
            yield {"id": name, **row} if named else dict(row)
    else:
        for index in next(iter(document.values())):
            yield {name: values.get(index) for name, values in document.items()}


def frame_rows(lines: Lines, orient: Orient) -> Iterator[Record]:
    """Yield the rows of the data frames of a file; `place` counts them.

    What is no such data frame is yielded as it is, and is no row.
    """
    for record in json_elements(lines, MAX_FRAME_BYTES):
        if record.unreadable is not None:
            yield record
            continue
        try:
            document = plain_json(record.raw)
        except Unparsable as fault:
            reason = Unreadable(fault.reason, f"{fault.detail}: {_ADVICE}")
            yield record._replace(raw=b"", unreadable=reason)
            continue
        if not isinstance(document, Mapping) or orient_of(document) != orient:
            detail = "it is no data frame as the first one is"
            yield record._replace(unreadable=Unreadable(Reason.INVALID_EVENT, detail))
            continue
        for place, row in enumerate(rows_of(document, orient)):
            yield Record(record.line, msgspec.json.encode(row), place=record.place + place)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _are_numbers(names: Mapping[str, Any]) -> bool:
    return all(name.isdecimal() for name in names)
