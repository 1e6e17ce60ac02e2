"""Answers on their way into the log, written in a thread, so that no request waits for it."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from model_server.http.batching import Answer
from model_server.overrides.apply_override import Overridden
from model_server.prediction_log.log_store import (
    LoggedPrediction,
    delete_older,
    write_predictions,
)
from model_server.prediction_log.unwritten import Unwritten
from schemas.failures import Failure
from schemas.transport.postgres import Connection
from schemas.transport.postgres_pool import ValueRefused

logger = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_MOST_AT_ONCE: Final = 1_000
_MOST_BYTES_AT_ONCE: Final = 4 * 2**20
_MOST_UNWRITTEN: Final = 20_000
_MOST_UNWRITTEN_BYTES: Final = 32 * 2**20
_PRUNED_EVERY_S: Final = 3_600.0


class PredictionLog:
    """Keeps answers for `days`; 0: it keeps none, and deletes what was kept before.

    What PostgreSQL does not take in time is dropped, the oldest first: the log is no promise. At
    most 20,000 answers wait, and no more than 32 MiB of them. One that PostgreSQL refuses is left
    out alone.
    """

    def __init__(
        self,
        lend: Callable[[], AbstractContextManager[Connection]],
        days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lend = lend
        self._days = days
        self._now = now
        self._unwritten = Unwritten(most=_MOST_UNWRITTEN, most_bytes=_MOST_UNWRITTEN_BYTES)

    @property
    def is_on(self) -> bool:
        """Whether anything is kept."""
        return self._days > 0

    @property
    def days(self) -> int:
        """For how many days it is kept."""
        return self._days

    def note(
        self,
        asked_by: str,
        texts: Sequence[str],
        answer: Answer,
        overridden: Sequence[Overridden],
    ) -> list[str]:
        """Keep the answers to these texts as they counted; return the ids that find them."""
        at, ids = self._now(), [str(uuid4()) for _ in texts]
        answers = zip(ids, texts, answer.predictions, overridden, strict=True)
        self._unwritten.add(
            LoggedPrediction(
                prediction_id=id_,
                asked_at=at,
                asked_by=asked_by,
                text=text,
                label=counting.label,
                confidence=counting.confidence,
                probabilities=prediction.probabilities,
                model_name=answer.model.name,
                model_version=answer.model.version,
                model_sha256=answer.model.sha256,
                override=counting.override,
            )
            for id_, text, prediction, counting in answers
        )
        return ids

    def write_until(self, finished: threading.Event) -> None:
        """Write what is noted, and delete what is too old, until `finished` is set."""
        waited_s, away = _PRUNED_EVERY_S, False
        while True:
            ends = finished.wait(_EVERY_S)
            waited_s += _EVERY_S
            try:
                if waited_s >= _PRUNED_EVERY_S:
                    with self._lend() as connection:
                        delete_older(connection, self._days)
                    waited_s = 0.0
                self._write()
                away = False
            except Failure as failure:
                if self.is_on and not away:
                    logger.warning("predictions are not logged now: %s", type(failure).__name__)
                away = True
            if ends:
                return

    def _write(self) -> None:
        while some := self._unwritten.take(_MOST_AT_ONCE, _MOST_BYTES_AT_ONCE):
            # The last part comes first.
            parts = [some]
            while parts:
                part = parts.pop()
                try:
                    with self._lend() as connection:
                        write_predictions(connection, part)
                except ValueRefused:
                    if len(part) == 1:
                        logger.warning("a prediction cannot be logged")
                        continue
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                except Failure:
                    left = [each for one in (part, *reversed(parts)) for each in one]
                    self._unwritten.put_back(left)
                    raise
