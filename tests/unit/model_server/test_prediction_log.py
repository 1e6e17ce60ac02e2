"""The log of predictions on its way: bounded in number and bytes; one bad row stops no other."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server.http.batching import Answer
from model_server.overrides.apply_override import override_predictions
from model_server.prediction_log import log_writer
from model_server.prediction_log.log_store import LoggedPrediction
from model_server.prediction_log.log_writer import PredictionLog
from model_server.prediction_log.unwritten import Unwritten
from model_server.scorer import Prediction
from schemas.transport.postgres import PostgresUnavailable
from schemas.transport.postgres_pool import ValueRefused
from tests.unit.examples import model

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def logged(text: str) -> LoggedPrediction:
    return LoggedPrediction(
        prediction_id=text[:20],
        asked_at=NOW,
        asked_by="me",
        text=text,
        label="positive",
        confidence=1.0,
        probabilities={"positive": 1.0},
        model_name="a",
        model_version="1",
        model_sha256="0" * 64,
    )


@given(
    lengths=st.lists(st.integers(0, 5_000), max_size=60),
    most=st.integers(1, 20),
    taken=st.integers(1, 10),
)
def test_it_holds_the_newest_within_both_bounds(lengths: list[int], most: int, taken: int) -> None:
    queue = Unwritten(most=most, most_bytes=20_000)
    given_in = [logged(f"{number:04}" + "x" * length) for number, length in enumerate(lengths)]
    queue.add(given_in)
    assert len(queue) <= most
    assert queue.held_bytes <= 20_000
    some = queue.take(taken, 7_000)
    assert bool(some) == bool(lengths)
    queue.put_back(some)
    kept = queue.take(most, 10**9)
    assert kept == given_in[len(given_in) - len(kept) :]
    assert queue.held_bytes == 0


def noted(log: PredictionLog, texts: Sequence[str]) -> None:
    answer = Answer([Prediction("positive", 1.0, {"positive": 1.0}) for _ in texts], model("a"))
    log.note("me", texts, answer, override_predictions(None, texts, answer.predictions))


@contextmanager
def lent() -> Iterator[Any]:
    yield None


def write(log: PredictionLog) -> None:
    ends = threading.Event()
    ends.set()
    log.write_until(ends)


def test_a_refused_row_is_left_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[str] = []
    calls: list[int] = []

    def take(_connection: Any, rows: Sequence[LoggedPrediction]) -> None:
        calls.append(len(rows))
        if any(row.text == "bad" for row in rows):
            raise ValueRefused("the database cannot hold one of the values")
        stored.extend(row.text for row in rows)

    monkeypatch.setattr(log_writer, "write_predictions", take)
    monkeypatch.setattr(log_writer, "delete_older", lambda *_: None)
    log = PredictionLog(lent, 7)
    texts = [f"t{number}" for number in range(1_000)]
    noted(log, [*texts[:700], "bad", *texts[700:]])
    write(log)
    assert stored == texts
    assert len(calls) <= 25


def test_what_is_not_written_while_postgres_is_away_is_written_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored: list[str] = []
    away = True

    def take(_connection: Any, rows: Sequence[LoggedPrediction]) -> None:
        if len(rows) > 1 and any(row.text == "bad" for row in rows):
            raise ValueRefused("the database cannot hold one of the values")
        if away and rows[0].text == "c":
            raise PostgresUnavailable("PostgreSQL does not answer")
        if rows[0].text != "bad":
            stored.extend(row.text for row in rows)

    monkeypatch.setattr(log_writer, "write_predictions", take)
    monkeypatch.setattr(log_writer, "delete_older", lambda *_: None)
    log = PredictionLog(lent, 7)
    noted(log, ["a", "bad", "c", "d"])
    write(log)
    assert stored == ["a"]
    away = False
    write(log)
    assert stored == ["a", "c", "d"]
