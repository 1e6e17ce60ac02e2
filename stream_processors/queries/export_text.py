"""Exported tweets as JSON lines and CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from schemas.formula_guard import guarded
from stream_processors.queries.export_rows import ExportRow

PROBABILITY_PREFIX: Final = "probability_"

_ROWS_IN_A_CHUNK: Final = 500


def json_lines(rows: Iterable[ExportRow]) -> Iterator[bytes]:
    """Yield one JSON object a line; times in RFC 3339 and UTC, probabilities sorted by label."""
    encoder = msgspec.json.Encoder()
    for row in rows:
        yield encoder.encode(as_document(row)) + b"\n"


def as_document(row: ExportRow) -> dict[str, Any]:
    """Return a row as JSON shows it."""
    fields = row._asdict()
    fields["probabilities"] = dict(sorted(row.probabilities.items()))
    for name in ("posted_at", "edited_at", "scored_at"):
        fields[name] = in_utc(fields[name])
    return fields


def csv_chunks(rows: Iterable[ExportRow], labels: Sequence[str], guard: bool) -> Iterator[bytes]:
    """Yield CSV (RFC 4180, UTF-8, CR LF, a header), a column `probability_<label>` for each label.

    `rules` and `hashtags` are JSON arrays; what is missing is empty. `guard` keeps a spreadsheet
    from running a tweet as a formula, see `guarded`.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(guarded(name) if guard else name for name in columns(labels))
    for number, row in enumerate(rows, start=1):
        cells = [_cell(value) for value in values(row, labels)]
        writer.writerow(guarded(cell) if guard else cell for cell in cells)
        if number % _ROWS_IN_A_CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def columns(labels: Sequence[str]) -> list[str]:
    """Return the names of the columns of the flat formats."""
    flat: list[str] = []
    for name in ExportRow._fields:
        flat += (
            [f"{PROBABILITY_PREFIX}{label}" for label in labels]
            if name == "probabilities"
            else [name]
        )
    return flat


def values(row: ExportRow, labels: Sequence[str]) -> list[object]:
    """Return a row's values in the order of `columns`; a label its model lacks is None."""
    flat: list[object] = []
    for name, value in zip(ExportRow._fields, row, strict=True):
        if name == "probabilities":
            flat += [row.probabilities.get(label) for label in labels]
        else:
            flat.append(in_utc(value) if isinstance(value, datetime) else value)
    return flat


def in_utc(moment: datetime | None) -> datetime | None:
    """Return the same moment in UTC."""
    return moment.astimezone(UTC) if moment else None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return str(msgspec.to_builtins(value))
    return msgspec.json.encode(value).decode()


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
