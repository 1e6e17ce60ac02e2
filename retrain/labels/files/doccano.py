"""Labels as doccano exports and imports them for text classification: JSON lines.

https://doccano.github.io/doccano/tutorial: an object a line with `text`, `label` (a list of names)
and whatever else was imported with the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from retrain.labels.files.file_row import TWEET_ID_NAMES, Fault, FileRow


def doccano_labels(lines: Sequence[str]) -> Iterator[FileRow]:
    """Yield a row for each line that is not blank.

    A tweet's id stands beside the text, or in `meta`, as `root_id` or `tweet_id`; `id` is it where
    it is a text, for doccano's own are numbers. Labels of parts of a text are a fault.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(f"line {number}", line)


def _row(place: str, line: str) -> FileRow:
    try:
        example = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return FileRow(place, fault=Fault.UNREADABLE)
    meta = example.get("meta") or example.get("metadata")
    fields = {**meta, **example} if isinstance(meta, dict) else example
    label, fault = _label(fields)
    return FileRow(
        place,
        _tweet_id(fields),
        label,
        _text(fields, "labeller"),
        _text(fields, "labelled_at"),
        _text(fields, "version"),
        _text(fields, "origin"),
        _text(fields, "repeat"),
        answer_shown=fields.get("answer_seen") is True,
        fault=fault,
    )


def _label(fields: Mapping[str, Any]) -> tuple[str, Fault | None]:
    labels = fields.get("label", fields.get("labels", []))
    labels = [labels] if isinstance(labels, str) else labels
    if not isinstance(labels, list):
        return "", Fault.UNREADABLE
    if any(isinstance(label, list | dict) for label in labels) or fields.get("entities"):
        return "", Fault.SPANS
    if len(labels) > 1:
        return "", Fault.MANY_LABELS
    return (str(labels[0]).strip(), None) if labels else ("", Fault.NO_LABEL)


def _tweet_id(fields: Mapping[str, Any]) -> str:
    names = TWEET_ID_NAMES if isinstance(fields.get("id"), str) else TWEET_ID_NAMES[:-1]
    return next(filter(None, (_text(fields, name) for name in names)), "")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value).strip()
