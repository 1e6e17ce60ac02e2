"""Logged predictions in PostgreSQL: written, chosen, found, and deleted after their time."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from psycopg2.extras import execute_values

from schemas.events import AppliedOverride
from schemas.storable_text import storable_text
from schemas.transport.postgres import Connection

_COLUMNS: Final = (
    "prediction_id, asked_at, asked_by, text, label, confidence, probabilities, model_name,"
    " model_version, model_sha256, override_name, override_version, label_without,"
    " confidence_without"
)


class LoggedPrediction(Struct, frozen=True, kw_only=True):
    """An answer to one text; `asked_by` is the name of the key.

    `label` and `confidence` are what was answered. Where an override gave the label, `override` has
    the model's own.
    """

    prediction_id: str
    asked_at: datetime
    asked_by: str
    text: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    model_name: str
    model_version: str
    model_sha256: str
    override: AppliedOverride | None = None


class PredictionChoice(Struct, frozen=True, kw_only=True):
    """Which predictions are asked for; None leaves a condition out.

    `before` is the last one of the page before: time, then id.
    """

    label: str | None = None
    asked_by: str | None = None
    least_confidence: float | None = None
    most_confidence: float | None = None
    start: datetime | None = None
    end: datetime | None = None
    words: str | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


def write_predictions(connection: Connection, predictions: Sequence[LoggedPrediction]) -> None:
    """Store predictions; may be repeated. PostgreSQL holds no NUL: it becomes U+FFFD."""
    with connection, connection.cursor() as cur:
        execute_values(
            cur,
            f"INSERT INTO predictions ({_COLUMNS}) VALUES %s ON CONFLICT DO NOTHING",  # noqa: S608
            [
                (
                    each.prediction_id,
                    each.asked_at,
                    each.asked_by,
                    storable_text(each.text),
                    each.label,
                    each.confidence,
                    json.dumps(each.probabilities),
                    each.model_name,
                    each.model_version,
                    each.model_sha256,
                    *_override_columns(each.override),
                )
                for each in predictions
            ],
        )


def delete_older(connection: Connection, days: int) -> None:
    """Delete what was logged more than so many days ago, by PostgreSQL's clock; 0: everything."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT to_regclass('predictions') IS NOT NULL")
        if cur.fetchall()[0][0]:
            cur.execute(
                "DELETE FROM predictions WHERE asked_at < now() - make_interval(days => %s)"
                " OR %s = 0",
                (days, days),
            )


def find_predictions(connection: Connection, choice: PredictionChoice) -> list[LoggedPrediction]:
    """Return the newest predictions of a choice, the last one first."""
    before_at, before_id = choice.before or (None, None)
    with connection, connection.cursor() as cur:
        cur.execute(
            f"SELECT {_COLUMNS} FROM predictions"  # noqa: S608  constants
            " WHERE (%(label)s IS NULL OR label = %(label)s)"
            " AND (%(asked_by)s IS NULL OR asked_by = %(asked_by)s)"
            " AND (%(least)s::float8 IS NULL OR confidence >= %(least)s)"
            " AND (%(most)s::float8 IS NULL OR confidence <= %(most)s)"
            " AND (%(start)s::timestamptz IS NULL OR asked_at >= %(start)s)"
            " AND (%(end)s::timestamptz IS NULL OR asked_at < %(end)s)"
            " AND (%(words)s IS NULL OR position(lower(%(words)s) IN lower(text)) > 0)"
            " AND (%(before_at)s::timestamptz IS NULL"
            " OR (asked_at, prediction_id) < (%(before_at)s, %(before_id)s::uuid))"
            " ORDER BY asked_at DESC, prediction_id DESC LIMIT %(limit)s",
            {
                "label": choice.label,
                "asked_by": choice.asked_by,
                "least": choice.least_confidence,
                "most": choice.most_confidence,
                "start": choice.start,
                "end": choice.end,
                "words": choice.words,
                "before_at": before_at,
                "before_id": before_id,
                "limit": choice.limit,
            },
        )
        return [_prediction(row) for row in cur]


def logged_text(connection: Connection, prediction_id: str) -> str | None:
    """Return the text of a prediction; None where there is none of this id."""
    try:
        named = UUID(prediction_id)
    except ValueError:
        return None
    with connection, connection.cursor() as cur:
        cur.execute("SELECT text FROM predictions WHERE prediction_id = %s", (str(named),))
        return next((text for (text,) in cur), None)


def _prediction(row: tuple[Any, ...]) -> LoggedPrediction:
    *values, name, version, label, confidence = row
    override = None
    if name is not None:
        override = AppliedOverride(name=name, version=version, label=label, confidence=confidence)
    fields = zip(LoggedPrediction.__struct_fields__, [*values, override], strict=True)
    return LoggedPrediction(**dict(fields))


def _override_columns(
    applied: AppliedOverride | None,
) -> tuple[str | None, str | None, str | None, float | None]:
    if applied is None:
        return None, None, None, None
    return applied.name, applied.version, applied.label, applied.confidence
