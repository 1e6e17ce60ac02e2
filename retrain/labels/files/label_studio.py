"""Labels as Label Studio exports and imports them.

https://labelstud.io/guide/export: JSON has tasks with `data`, `annotations` and `predictions`;
JSON-MIN has one flat object an annotation. https://labelstud.io/guide/tasks says what is imported.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from retrain.labels.files.file_row import TWEET_ID_NAMES, Fault, FileRow
from schemas.failures import Failure

FROM_NAME: Final = "label"
TO_NAME: Final = "text"
_FIELDS: Final = (FROM_NAME, "sentiment", "choice", "choices")
"""Names of the choice in Label Studio's own templates and in ours."""


def label_studio_labels(content: bytes) -> Iterator[FileRow]:
    """Yield a row for each annotation of an export, JSON or JSON-MIN.

    A tweet's id stands in the task's data as `root_id`, `tweet_id` or `id`. In JSON-MIN the number
    `id` is the task's own. Raises `Failure` for what is not a list of tasks.
    """
    try:
        tasks = msgspec.json.decode(content, type=list[dict[str, Any]])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Failure(f"not a list of Label Studio's tasks: {error}") from error
    for number, task in enumerate(tasks, start=1):
        place = f"task {number}"
        try:
            yield from _of_task(place, task) if "data" in task else [_of_flat(place, task)]
        except (AttributeError, TypeError, ValueError):
            yield FileRow(place, fault=Fault.UNREADABLE)


def _of_task(place: str, task: Mapping[str, Any]) -> list[FileRow]:
    data = task["data"]
    shown = bool(task.get("predictions")) or data.get("answer_seen") is True
    rows = []
    # Each task is listed by itself: of one that cannot be read nothing is half taken.
    for annotation in task.get("annotations") or task.get("completions") or [{}]:
        label, fault = _choice(annotation.get("result") or [])
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            fault = Fault.CANCELLED
        who = annotation.get("labeller") or annotation.get("completed_by") or ""
        if isinstance(who, dict):
            who = who.get("email") or who.get("username") or who.get("id") or ""
        rows.append(
            FileRow(
                place,
                _tweet_id(data, TWEET_ID_NAMES),
                label,
                str(who),
                _text(annotation.get("created_at")),
                _text(data.get("version")),
                _text(data.get("origin")),
                _text(annotation.get("repeat")),
                answer_shown=shown or annotation.get("answer_seen") is True,
                fault=fault,
            )
        )
    return rows


def _of_flat(place: str, task: Mapping[str, Any]) -> FileRow:
    names = TWEET_ID_NAMES if isinstance(task.get("id"), str) else TWEET_ID_NAMES[:-1]
    value = next((task[name] for name in _FIELDS if task.get(name)), "")
    choices = value.get("choices", []) if isinstance(value, dict) else [value] if value else []
    label, fault = _single(choices)
    return FileRow(
        place,
        _tweet_id(task, names),
        label,
        _text(task.get("annotator")),
        _text(task.get("created_at")),
        _text(task.get("version")),
        _text(task.get("origin")),
        answer_shown=task.get("answer_seen") is True,
        fault=fault,
    )


def _choice(results: Iterable[Mapping[str, Any]]) -> tuple[str, Fault | None]:
    values = [result["value"] for result in results if isinstance(result.get("value"), dict)]
    if any("labels" in value for value in values):
        return "", Fault.SPANS
    return _single([choice for value in values for choice in value.get("choices", [])])


def _single(choices: list[Any]) -> tuple[str, Fault | None]:
    if len(choices) > 1:
        return "", Fault.MANY_LABELS
    return (str(choices[0]).strip(), None) if choices else ("", Fault.NO_LABEL)


def _tweet_id(data: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((_text(data[name]) for name in names if data.get(name) not in (None, "")), "")


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
