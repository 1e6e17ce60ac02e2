"""An evaluation at work: the texts take their turns beside those of requests."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import numpy as np
from anyio import to_thread

from model_server.http.batching import Answer
from model_server.http.problems import Refused
from model_server.scorer import Prediction
from retrain.evaluation.figures import Floats, confusion, figures_of, totals_of
from retrain.evaluation.predictions import Answers, truth_of
from retrain.evaluation.service.data_sets import LabelledTexts
from retrain.evaluation.service.stored_evaluations import (
    ClassFigures,
    EvaluationFigures,
    begin_evaluation,
    end_evaluation,
    note_progress,
)
from schemas.events import ModelIdentity
from schemas.failures import Failure
from schemas.transport.postgres import Connection

logger = logging.getLogger(__name__)

_TEXTS_AT_ONCE: Final = 64
_TOLD_EVERY_S: Final = 1.0
_TRIES: Final = 60
_BUSY: Final = 503
_Lend = Callable[[], AbstractContextManager[Connection]]


class EvaluationJobs:
    """Begins evaluations and works on them in one event loop; `close` ends what is at work.

    `ask` scores texts by the model that serves and raises `Refused` where it is busy, or where a
    text cannot be scored. `serving` is that model. `ended` is called after each.
    """

    def __init__(
        self,
        lend: _Lend,
        ask: Callable[[Sequence[str]], Awaitable[Answer]],
        serving: Callable[[], ModelIdentity],
        ended: Callable[[], None] = lambda: None,
        told_every_s: float = _TOLD_EVERY_S,
    ) -> None:
        self._lend = lend
        self._ask = ask
        self._serving = serving
        self._ended = ended
        self._told_every_s = told_every_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, data: LabelledTexts, labels: Sequence[str]) -> int:
        """Begin to work, and return the evaluation's number; raise `EvaluationIsLive`."""
        model = self._serving()

        def store() -> int:
            with self._lend() as connection:
                return begin_evaluation(
                    connection,
                    data_set=data.data_set,
                    run=data.run,
                    model=model,
                    texts=len(data.texts),
                )

        number = await to_thread.run_sync(store)
        task = asyncio.create_task(self._work(number, data, tuple(labels), model))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return number

    async def close(self) -> None:
        """End what is at work; it is stored as failed."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(
        self, number: int, data: LabelledTexts, labels: tuple[str, ...], model: ModelIdentity
    ) -> None:
        figures, detail = None, "a fault of the service, see its log"
        try:
            found = await self._scored(number, data.texts, model)
            figures, detail = measured(data, labels, found), ""
        except (Refused, Failure) as failure:
            detail = str(failure)
        except asyncio.CancelledError:
            detail = "the service ended"
            raise
        finally:
            await asyncio.shield(to_thread.run_sync(self._end, number, figures, detail))
            self._ended()

    async def _scored(
        self, number: int, texts: Sequence[str], model: ModelIdentity
    ) -> list[Prediction | None]:
        found: list[Prediction | None] = []
        told_at_s = time.monotonic()

        async def tell() -> None:
            nonlocal told_at_s
            if time.monotonic() - told_at_s >= self._told_every_s:
                told_at_s = time.monotonic()
                if not await to_thread.run_sync(self._note, number, len(found)):
                    raise Failure("it was ended from elsewhere")

        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            found += await self._some(texts[start : start + _TEXTS_AT_ONCE], model, tell)
            await tell()
        return found

    async def _some(
        self, texts: Sequence[str], model: ModelIdentity, tell: Callable[[], Awaitable[None]]
    ) -> Sequence[Prediction | None]:
        for _ in range(_TRIES):
            try:
                answer = await self._ask(texts)
            except Refused as refused:
                if refused.problem.status == _BUSY:
                    # Requests of people go first. It is at work all the same, and says so.
                    await tell()
                    await asyncio.sleep(float(refused.headers.get("Retry-After", "1")))
                    continue
                if len(texts) == 1:
                    return [None]
                return [one for text in texts for one in await self._some([text], model, tell)]
            if answer.model != model:
                raise Failure("another model took over: evaluate that one")
            return answer.predictions
        raise Failure("the model has too much to do: try again later")

    def _note(self, number: int, done: int) -> bool:
        with self._lend() as connection:
            return note_progress(connection, number, done)

    def _end(self, number: int, figures: EvaluationFigures | None, detail: str) -> None:
        try:
            with self._lend() as connection:
                end_evaluation(connection, number, figures, detail)
        except Failure:
            logger.warning("the end of evaluation %d could not be stored", number)


def measured(
    data: LabelledTexts, labels: tuple[str, ...], found: Sequence[Prediction | None]
) -> EvaluationFigures:
    """Return the figures of predictions, each of a text of the data; None: it was not scored."""
    scored = [
        (named, prediction)
        for named, prediction in zip(data.labels, found, strict=True)
        if prediction is not None
    ]
    rows = np.array(
        [[prediction.probabilities[label] for label in labels] for _, prediction in scored]
    ).reshape(len(scored), len(labels))
    answers = Answers.of(labels, truth_of(labels, [named for named, _ in scored]), rows)
    figures = figures_of(totals_of(answers), labels)
    cells = confusion(answers)
    return EvaluationFigures(
        texts=len(scored),
        left_out=data.left_out + len(found) - len(scored),
        figures={name: _known(value) for name, value in figures.headline().items()},
        classes=[
            ClassFigures(
                label=label,
                support=int(cells[place].sum()),
                chosen=int(cells[:, place].sum()),
                precision=_known(figures.precision[place]),
                recall=_known(figures.recall[place]),
                f1=_known(figures.f1[place]),
            )
            for place, label in enumerate(labels)
        ],
        confusion=cells.tolist(),
    )


def _known(value: "np.float64 | Floats") -> float | None:
    number = round(float(value), 6)
    return None if np.isnan(number) else number
