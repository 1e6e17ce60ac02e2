"""Labels, or tweets to be labelled, as other tools read them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import msgspec
from psycopg2.extensions import cursor

from retrain.labels.files.label_studio import FROM_NAME, TO_NAME
from retrain.labels.files.reading import FileFormat
from schemas.events import LIVE
from schemas.formula_guard import guarded
from schemas.people_labels import LabelOrigin

_COLUMNS: Final = (
    "root_id",
    "version",
    "label",
    "text",
    "origin",
    "labeller",
    "repeat",
    "answer_seen",
    "labelled_at",
)
_MODEL_COLUMNS: Final = ("model_label", "model_confidence", "model_version")

_TWEETS: Final = """
SELECT t.root_id, t.version, t.text, s.label, s.confidence, m.name || ' ' || m.version
FROM tweets AS t
JOIN scores AS s ON s.run = t.run AND s.day = t.day AND s.root_id = t.root_id AND s.counts
JOIN models AS m ON m.model_id = s.model_id
WHERE t.run = %(run)s AND t.root_id = ANY(%(roots)s)
"""
_DAYS: Final = "SELECT DISTINCT day FROM live_roots WHERE root_id = ANY(%s)"
_OF_DAYS: Final = " AND t.day = ANY(%(days)s::date[]) AND s.day = ANY(%(days)s::date[])"


class LabelledTweet(msgspec.Struct, frozen=True, kw_only=True):
    """A tweet's text with a person's label; without one where it is to be labelled yet.

    `model_label`, `confidence` and `model_version` are the model's own answer.
    """

    root_id: str
    version: int
    text: str
    origin: str
    model_label: str
    model_confidence: float
    model_version: str
    label: str | None = None
    labeller: str | None = None
    repeat: int = 0
    answer_seen: bool = False
    labelled_at: datetime | None = None


def labelled_tweets(
    cur: cursor, run: str, origins: Sequence[LabelOrigin]
) -> tuple[list[LabelledTweet], int]:
    """Return a run's labels by root id, and how many others are of a version that is gone.

    Answers of `unsure` are no labels. The same data gives the same order.
    """
    cur.execute(
        "SELECT root_id, version, origin, label, labeller, repeat, answer_seen, labelled_at"
        " FROM labels WHERE run = %s AND origin = ANY(%s) AND label IS NOT NULL"
        " ORDER BY root_id, version, labeller, origin, repeat",
        (run, [origin.value for origin in origins]),
    )
    rows = cur.fetchall()
    tweets = {
        (tweet.root_id, tweet.version): tweet
        for tweet in tweets_to_label(cur, run, [(row[0], LabelOrigin.QUEUE) for row in rows])
    }
    found = [
        msgspec.structs.replace(
            tweets[root_id, version],
            origin=origin,
            label=label,
            labeller=labeller,
            repeat=repeat,
            answer_seen=seen,
            labelled_at=labelled_at.astimezone(UTC),
        )
        for root_id, version, origin, label, labeller, repeat, seen, labelled_at in rows
        if (root_id, version) in tweets
    ]
    return found, len(rows) - len(found)


def tweets_to_label(
    cur: cursor, run: str, wanted: Sequence[tuple[str, LabelOrigin]]
) -> list[LabelledTweet]:
    """Return tweets by root id with the origin for which each is to be labelled; no lost ones."""
    roots = sorted({root_id for root_id, _ in wanted})
    values: dict[str, Any] = {"run": run, "roots": roots}
    if run == LIVE:
        cur.execute(_DAYS, (roots,))
        values["days"] = [day for (day,) in cur]
    cur.execute(_TWEETS + (_OF_DAYS if run == LIVE else ""), values)
    stored = {row[0]: row for row in cur}
    return [
        LabelledTweet(
            root_id=root_id,
            version=stored[root_id][1],
            text=stored[root_id][2],
            origin=origin.value,
            model_label=stored[root_id][3],
            model_confidence=stored[root_id][4],
            model_version=stored[root_id][5],
        )
        for root_id, origin in wanted
        if root_id in stored
    ]


def as_file(
    tweets: Sequence[LabelledTweet],
    form: FileFormat,
    *,
    with_predictions: bool = False,
    guard_csv: bool = True,
) -> Iterator[bytes]:
    """Yield a file in UTF-8; the same tweets give the same bytes.

    `with_predictions` adds the model's answer: who sees it cannot audit, and an import knows it.
    """
    if form is FileFormat.LABEL_STUDIO:
        return _label_studio(tweets, with_predictions)
    if form is FileFormat.DOCCANO:
        return _doccano(tweets, with_predictions)
    return _csv(tweets, with_predictions, guard_csv)


def _csv(tweets: Iterable[LabelledTweet], predictions: bool, guard: bool) -> Iterator[bytes]:
    names = (*_COLUMNS, *_MODEL_COLUMNS) if predictions else _COLUMNS
    yield _csv_line(names, guard)
    for tweet in tweets:
        fields = _shown(tweet, predictions)
        yield _csv_line([_cell(fields[name]) for name in names], guard)


def _csv_line(cells: Iterable[str], guard: bool) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(guarded(cell) if guard else cell for cell in cells)
    return line.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(msgspec.to_builtins(value))


def _doccano(tweets: Iterable[LabelledTweet], predictions: bool) -> Iterator[bytes]:
    for tweet in tweets:
        fields = _shown(tweet, predictions)
        ordered = {
            "text": fields.pop("text"),
            "label": [] if tweet.label is None else [fields["label"]],
        }
        fields.pop("label")
        given = {name: value for name, value in fields.items() if value is not None}
        yield msgspec.json.encode({**ordered, **given}) + b"\n"


def _label_studio(tweets: Sequence[LabelledTweet], predictions: bool) -> Iterator[bytes]:
    def task_of(tweet: LabelledTweet) -> tuple[str, int, str]:
        return tweet.root_id, tweet.version, tweet.origin

    # A list of tweets to be labelled keeps its order: the queue's.
    in_order = (
        tweets if all(tweet.label is None for tweet in tweets) else sorted(tweets, key=task_of)
    )
    separator = b"[\n"
    for (root_id, version, origin), of_version in groupby(in_order, key=task_of):
        group = list(of_version)
        task: dict[str, Any] = {
            "data": {
                "text": group[0].text,
                "root_id": root_id,
                "version": version,
                "origin": origin,
            }
        }
        annotations = [_annotation(tweet) for tweet in group if tweet.label is not None]
        if annotations:
            task["annotations"] = annotations
        if predictions:
            task["data"]["answer_seen"] = True
            task["predictions"] = [
                {
                    "model_version": group[0].model_version,
                    "score": group[0].model_confidence,
                    "result": [_result(group[0].model_label)],
                }
            ]
        yield separator + msgspec.json.encode(task)
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def _annotation(tweet: LabelledTweet) -> dict[str, Any]:
    return {
        "result": [_result(tweet.label or "")],
        "was_cancelled": False,
        "created_at": tweet.labelled_at,
        "labeller": tweet.labeller,
        "repeat": tweet.repeat,
        "answer_seen": tweet.answer_seen,
    }


def _result(label: str) -> dict[str, Any]:
    return {
        "from_name": FROM_NAME,
        "to_name": TO_NAME,
        "type": "choices",
        "value": {"choices": [label]},
    }


def _shown(tweet: LabelledTweet, predictions: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(tweet, name) for name in _COLUMNS}
    fields["answer_seen"] = tweet.answer_seen or predictions
    if predictions:
        fields |= {name: getattr(tweet, name) for name in _MODEL_COLUMNS}
    return fields
