"""Texts of many requests in common batches, scored in one thread.

Scores do not depend on the batch, so a request gets the same answers beside others as alone.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from model_server.onnx_engine import BATCH_TEXTS
from model_server.scorer import Prediction
from schemas.events import ModelIdentity

_TEXTS_IN_TURN: Final = 8
"""Texts that a request gets into a batch before the next one has its turn."""
_LOOKS_FOR_A_MODEL_AFTER_S: Final = 0.5


class Model(Protocol):
    """What answers a batch of texts."""

    identity: ModelIdentity

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction for each text, in order."""
        ...


class QueueFull(Exception):
    """More texts wait than are taken: `retry_after_s` is about how long those need."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"too many texts wait; try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Answer:
    """The predictions of one request, all by one model."""

    predictions: list[Prediction]
    model: ModelIdentity


@dataclass(eq=False)
class _Request:
    texts: Sequence[str]
    future: "asyncio.Future[Answer]"
    loop: asyncio.AbstractEventLoop
    model: ModelIdentity | None = None
    done: list[Prediction] = field(default_factory=list)

    def left(self) -> int:
        return len(self.texts) - len(self.done)


class Batcher:
    """One thread that scores what waits, as soon as it is free, at most 32 texts at once.

    Requests take turns, so that one text does not wait for another request's 512. A request whose
    answer nobody waits for any more is dropped before it costs anything. `model` is asked for each
    batch; a request that was begun with another model begins anew, so that all of its answers are
    of one. At most `most_waiting` texts wait. `scored` is called after each batch, in the thread.
    """

    def __init__(
        self,
        model: Callable[[], Model],
        *,
        most_waiting: int = 4_096,
        scored: Callable[[], None] = lambda: None,
    ) -> None:
        self._model = model
        self._scored = scored
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._requests: deque[_Request] = deque()
        self._waiting_texts = 0
        self._s_a_text = 0.005
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="score", daemon=True)

    @property
    def waiting_texts(self) -> int:
        """How many texts wait."""
        return self._waiting_texts

    def start(self) -> None:
        """Begin to score."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what waits is not answered."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(10)

    async def predict(self, texts: Sequence[str]) -> Answer:
        """Return the answers to these texts; raise `QueueFull` where too many wait.

        Raises `UnscorableTexts` where the model refuses one of them.
        """
        loop = asyncio.get_running_loop()
        request = _Request(texts, loop.create_future(), loop)
        with self._changed:
            # A request of its own always fits: it could never be sent otherwise.
            if self._waiting_texts and self._waiting_texts + len(texts) > self._most_waiting:
                raise QueueFull(max(1.0, self._waiting_texts * self._s_a_text))
            self._requests.append(request)
            self._waiting_texts += len(texts)
            self._changed.notify()
        return await request.future

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._requests and not self._stopped:
                    self._changed.wait(_LOOKS_FOR_A_MODEL_AFTER_S)
                if self._stopped:
                    return
                waits = bool(self._requests)
            # Asked also where nothing waits: while every answer is remembered, a promoted model
            # has to take over too.
            model = self._model()
            if waits:
                self._score(model)
                self._scored()

    def _score(self, model: Model) -> None:
        batch = self._next_batch(model.identity)
        if not batch:
            return
        began_s = time.perf_counter()
        texts = [text for _, part in batch for text in part]
        try:
            predictions = model.predict(texts)
        except Exception as fault:  # noqa: BLE001  it is handed to whoever asked
            # Whose text it was is found by scoring each request's alone.
            if len(batch) == 1:
                self._fail(batch[0][0], fault)
                return
            for request, part in batch:
                self._score_alone(model, request, part)
            return
        self._s_a_text += 0.1 * ((time.perf_counter() - began_s) / len(texts) - self._s_a_text)
        given = iter(predictions)
        for request, part in batch:
            self._give(request, [next(given) for _ in part], model.identity)

    def _next_batch(self, identity: ModelIdentity) -> list[tuple[_Request, Sequence[str]]]:
        batch: list[tuple[_Request, Sequence[str]]] = []
        room = BATCH_TEXTS
        with self._changed:
            while room and self._requests:
                request = self._requests.popleft()
                if request.future.cancelled():
                    self._waiting_texts -= request.left()
                    continue
                if request.model != identity:
                    self._waiting_texts += len(request.done)
                    request.done.clear()
                    request.model = identity
                alone = not (self._requests or batch)
                size = min(room, room if alone else _TEXTS_IN_TURN, request.left())
                begin = len(request.done)
                batch.append((request, request.texts[begin : begin + size]))
                room -= size
        return batch

    def _score_alone(self, model: Model, request: _Request, part: Sequence[str]) -> None:
        try:
            self._give(request, model.predict(part), model.identity)
        except Exception as fault:  # noqa: BLE001  it is handed to whoever asked
            self._fail(request, fault)

    def _give(
        self, request: _Request, predictions: list[Prediction], identity: ModelIdentity
    ) -> None:
        request.done += predictions
        with self._changed:
            self._waiting_texts -= len(predictions)
            if request.left():
                self._requests.append(request)
                return
        answer = Answer(request.done, identity)
        request.loop.call_soon_threadsafe(_set_result, request.future, answer)

    def _fail(self, request: _Request, fault: Exception) -> None:
        with self._changed:
            self._waiting_texts -= request.left()
        request.loop.call_soon_threadsafe(_set_exception, request.future, fault)


def _set_result(future: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)


def _set_exception(future: "asyncio.Future[Answer]", fault: Exception) -> None:
    if not future.done():
        future.set_exception(fault)
