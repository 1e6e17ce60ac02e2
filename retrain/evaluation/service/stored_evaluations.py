"""Evaluations in PostgreSQL: begun, moved, ended, listed. One is at work at any time.

All times are those of PostgreSQL's clock.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import cursor

from schemas.events import ModelIdentity
from schemas.failures import Failure, NotThere
from schemas.transport.postgres import Connection

_SILENT: Final = timedelta(minutes=2)
_COLUMNS: Final = (
    "evaluation_no, state, data_set, run, model_name, model_version, model_sha256, texts,"
    " texts_done, detail, figures, created_at, changed_at"
)


class EvaluationState(StrEnum):
    """Where an evaluation stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ClassFigures(Struct, frozen=True, kw_only=True):
    """Figures of one label: `support` texts have it, `chosen` got it. None: a share of nothing."""

    label: str
    support: int
    chosen: int
    precision: float | None
    recall: float | None
    f1: float | None


class EvaluationFigures(Struct, frozen=True, kw_only=True):
    """Figures of the model's own answers. `figures` are those of `murmur model evaluate`.

    `confusion` has a row for each label that people gave, a column for each that the model chose,
    both in the order of `classes`. `left_out` texts have a label that the model does not know, or
    cannot be scored.
    """

    texts: int
    left_out: int
    figures: dict[str, float | None]
    classes: list[ClassFigures]
    confusion: list[list[int]]


class StoredEvaluation(Struct, frozen=True, kw_only=True):
    """An evaluation; `data_set` is `audits` or the name of a label file."""

    number: int
    state: EvaluationState
    data_set: str
    run: str | None
    model_name: str
    model_version: str
    model_sha256: str
    texts: int
    texts_done: int
    detail: str
    figures: EvaluationFigures | None
    created_at: datetime
    changed_at: datetime


class EvaluationIsLive(Failure):
    """One is at work: a second one does not begin beside it."""


def begin_evaluation(
    connection: Connection, *, data_set: str, run: str | None, model: ModelIdentity, texts: int
) -> int:
    """Store an evaluation that is at work, and return its number; raise `EvaluationIsLive`."""
    try:
        with connection, connection.cursor() as cur:
            _end_silent(cur)
            cur.execute(
                "INSERT INTO evaluations (data_set, run, model_name, model_version, model_sha256,"
                " texts) VALUES (%s, %s, %s, %s, %s, %s) RETURNING evaluation_no",
                (data_set, run, model.name, model.version, model.sha256, texts),
            )
            return int(cur.fetchall()[0][0])
    except UniqueViolation as error:
        raise EvaluationIsLive("an evaluation is at work: wait until it is done") from error


def note_progress(connection: Connection, number: int, texts_done: int) -> bool:
    """Say how far it is; False where it is over already."""
    with connection, connection.cursor() as cur:
        cur.execute(
            "UPDATE evaluations SET texts_done = %s, changed_at = clock_timestamp()"
            " WHERE evaluation_no = %s AND state = 'running' RETURNING 1",
            (texts_done, number),
        )
        return bool(cur.fetchall())


def end_evaluation(
    connection: Connection, number: int, figures: EvaluationFigures | None, detail: str
) -> None:
    """End one that is at work, with its figures, or without where it failed."""
    with connection, connection.cursor() as cur:
        cur.execute(
            "UPDATE evaluations SET state = %s, figures = %s, detail = %s,"
            " texts_done = CASE WHEN %s THEN texts_done ELSE texts END,"
            " changed_at = clock_timestamp() WHERE evaluation_no = %s AND state = 'running'",
            (
                EvaluationState.FAILED if figures is None else EvaluationState.DONE,
                None if figures is None else msgspec.json.encode(figures).decode(),
                detail,
                figures is None,
                number,
            ),
        )


def list_evaluations(connection: Connection, *, most: int = 50) -> list[StoredEvaluation]:
    """Return the evaluations, the last one first."""
    with connection, connection.cursor() as cur:
        _end_silent(cur)
        cur.execute(
            f"SELECT {_COLUMNS} FROM evaluations ORDER BY evaluation_no DESC LIMIT %s",  # noqa: S608
            (most,),
        )
        return [_evaluation(row) for row in cur]


def find_evaluation(connection: Connection, number: int) -> StoredEvaluation:
    """Return an evaluation; raise `NotThere`."""
    with connection, connection.cursor() as cur:
        _end_silent(cur)
        cur.execute(
            f"SELECT {_COLUMNS} FROM evaluations WHERE evaluation_no = %s",  # noqa: S608
            (number,),
        )
        for row in cur:
            return _evaluation(row)
    raise NotThere(f"there is no evaluation {number}")


def latest_evaluations(connection: Connection, *, most: int = 50) -> list[StoredEvaluation]:
    """Return the last one that is done of each data set and model; none without their table."""
    with connection, connection.cursor() as cur:
        cur.execute("SELECT to_regclass('evaluations') IS NOT NULL")
        if not cur.fetchall()[0][0]:
            return []
        cur.execute(
            f"SELECT {_COLUMNS} FROM (SELECT DISTINCT ON (data_set, run, model_sha256) {_COLUMNS}"  # noqa: S608
            " FROM evaluations WHERE state = 'done'"
            " ORDER BY data_set, run, model_sha256, evaluation_no DESC) AS latest"
            " ORDER BY evaluation_no DESC LIMIT %s",
            (most,),
        )
        return [_evaluation(row) for row in cur]


def _end_silent(cur: cursor) -> None:
    """End what a process left behind that was killed."""
    cur.execute(
        "UPDATE evaluations SET state = 'failed', detail = 'its process ended',"
        " changed_at = clock_timestamp()"
        " WHERE state = 'running' AND changed_at < clock_timestamp() - %s",
        (_SILENT,),
    )


def _evaluation(row: tuple[Any, ...]) -> StoredEvaluation:
    number, state, *others = row
    values = dict(zip(StoredEvaluation.__struct_fields__[2:], others, strict=True))
    figures = values.pop("figures")
    return StoredEvaluation(
        number=number,
        state=EvaluationState(state),
        figures=None if figures is None else msgspec.convert(figures, EvaluationFigures),
        **values,
    )
