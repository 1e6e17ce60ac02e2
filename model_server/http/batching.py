"""Texts of many requests in common batches, scored in threads beside the one that answers.

Scores do not depend on the batch, so a request gets the same answers beside others as alone.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeAlias, cast

from model_server.onnx_engine import BATCH_TEXTS
from model_server.scorer import Prediction
from schemas.events import ModelIdentity

_TEXTS_IN_TURN: Final = 8
"""Texts that a request gets into a batch before the next one has its turn."""
_ENDS_WITHIN_S: Final = 10.0
_LOOKS_FOR_A_MODEL_AFTER_S: Final = 0.5
_RESTARTS_WITHIN_S: Final = 5.0

RunBeside: TypeAlias = Callable[[str, Callable[[threading.Event], object]], threading.Thread]
"""As `RunningProcess.run_beside`: starts a thread, by its name, that is told when to end."""


def _in_a_thread(name: str, work: Callable[[threading.Event], object]) -> threading.Thread:
    thread = threading.Thread(target=work, args=(threading.Event(),), name=name, daemon=True)
    thread.start()
    return thread


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


class _Request:
    """What was asked, and what is known of it.

    `round` changes where what is being scored for it does not count any more: it was begun anew,
    refused or given up.
    """

    def __init__(
        self,
        texts: Sequence[str],
        future: "asyncio.Future[Answer]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.texts = texts
        self.future = future
        self.loop = loop
        self.model: ModelIdentity | None = None
        self.round = 0
        self.is_over = False
        self.begin_anew()

    def begin_anew(self) -> None:
        self.round += 1
        self.begun = 0
        self.missing = len(self.texts)
        self.answers: list[Prediction | None] = [None] * len(self.texts)


@dataclass(frozen=True)
class _Part:
    """Texts of a request that are in a batch."""

    request: _Request
    begin: int
    texts: Sequence[str]
    round: int


class Batcher:
    """Threads that score what waits, each as soon as it is free, at most 32 texts at once.

    Requests take turns, so that one text does not wait for another request's 512. A request whose
    answer nobody waits for any more is dropped before it costs anything. `model` is asked for each
    batch, by each of the `threads`; a request that was begun with another model begins anew, so
    that all of its answers are of one. At most `most_waiting` texts wait. `scored` is called after
    each batch, in its thread.

    A fault of a thread that is no text's ends all of them: whoever waits gets `QueueFull`, and so
    does whoever asks afterwards. `start` is told who has to know of it.

    ONNX Runtime and the tokenizer leave the interpreter to others while they work. So threads use
    as many cores as processes would, and what surrounds the process (probes, metrics, keys, the
    promoted model) stays one.
    """

    def __init__(
        self,
        model: Callable[[], Model],
        *,
        most_waiting: int = 4_096,
        scored: Callable[[], None] = lambda: None,
        threads: int = 1,
    ) -> None:
        self._model = model
        self._scored = scored
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._requests: deque[_Request] = deque()
        self._open: set[_Request] = set()
        self._waiting_texts = 0
        self._s_a_text = 0.005
        self._stopped = False
        self._is_broken = False
        self._thread_count = threads
        self._threads: list[threading.Thread] = []

    @property
    def waiting_texts(self) -> int:
        """How many texts wait or are being scored."""
        return self._waiting_texts

    def start(self, run: RunBeside = _in_a_thread) -> None:
        """Begin to score; `run` starts each thread, and hears of a fault that it raises."""
        self._threads = [run(f"score-{number}", self._work) for number in range(self._thread_count)]

    def stop(self) -> None:
        """End the threads; what waits is not answered."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        until_s = time.monotonic() + _ENDS_WITHIN_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    async def predict(self, texts: Sequence[str]) -> Answer:
        """Return the answers to these texts; raise `QueueFull` where too many wait.

        Raises `UnscorableTexts` where the model refuses one of them.
        """
        loop = asyncio.get_running_loop()
        request = _Request(texts, loop.create_future(), loop)
        with self._changed:
            if self._is_broken:
                raise QueueFull(_RESTARTS_WITHIN_S)
            # A request of its own always fits: it could never be sent otherwise.
            if self._waiting_texts and self._waiting_texts + len(texts) > self._most_waiting:
                needed_s = self._waiting_texts * self._s_a_text / self._thread_count
                raise QueueFull(max(1.0, needed_s))
            self._requests.append(request)
            self._open.add(request)
            self._waiting_texts += len(texts)
            self._changed.notify()
        try:
            return await request.future
        except asyncio.CancelledError:
            with self._changed:
                self._end(request)
            raise

    def _work(self, _finished: threading.Event) -> None:
        try:
            self._score_what_waits()
        except BaseException:
            self._break()
            raise

    def _break(self) -> None:
        """Answer nothing any more: the other threads end too, and nobody waits for them."""
        with self._changed:
            self._is_broken = self._stopped = True
            waiting = list(self._open)
            for request in waiting:
                self._end(request)
            self._changed.notify_all()
        for request in waiting:
            fault = QueueFull(_RESTARTS_WITHIN_S)
            _call_in(request.loop, partial(_set_exception, request.future, fault))

    def _score_what_waits(self) -> None:
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
        texts = [text for part in batch for text in part.texts]
        try:
            predictions = model.predict(texts)
        except Exception as fault:  # noqa: BLE001  it is handed to whoever asked
            # Whose text it was is found by scoring each part alone.
            if len({part.request for part in batch}) == 1:
                self._fail(batch[0], fault)
                return
            for part in batch:
                self._score_alone(model, part)
            return
        self._s_a_text += 0.1 * ((time.perf_counter() - began_s) / len(texts) - self._s_a_text)
        given = iter(predictions)
        self._tell(
            [
                done
                for part in batch
                if (done := self._take(part, list(islice(given, len(part.texts))), model.identity))
            ]
        )

    def _next_batch(self, identity: ModelIdentity) -> list[_Part]:
        batch: list[_Part] = []
        room = BATCH_TEXTS
        with self._changed:
            while room and self._requests:
                request = self._requests.popleft()
                if request.future.cancelled():
                    self._end(request)
                if request.is_over:
                    continue
                if request.model != identity:
                    self._waiting_texts += len(request.texts) - request.missing
                    request.begin_anew()
                    request.model = identity
                begin = request.begun
                texts = request.texts[begin : begin + min(room, _TEXTS_IN_TURN)]
                request.begun += len(texts)
                room -= len(texts)
                batch.append(_Part(request, begin, texts, request.round))
                if request.begun < len(request.texts):
                    self._requests.append(request)
            if self._requests:
                self._changed.notify()
        return batch

    def _score_alone(self, model: Model, part: _Part) -> None:
        try:
            predictions = model.predict(part.texts)
        except Exception as fault:  # noqa: BLE001  it is handed to whoever asked
            self._fail(part, fault)
            return
        done = self._take(part, predictions, model.identity)
        if done is not None:
            self._tell([done])

    def _take(
        self, part: _Part, predictions: list[Prediction], identity: ModelIdentity
    ) -> tuple[_Request, Answer] | None:
        """Note the answers to a part, and return the request where it has all of its own."""
        request = part.request
        with self._changed:
            if part.round != request.round:
                return None
            request.answers[part.begin : part.begin + len(predictions)] = predictions
            request.missing -= len(predictions)
            self._waiting_texts -= len(predictions)
            if request.missing:
                return None
            self._open.discard(request)
        return request, Answer(cast("list[Prediction]", request.answers), identity)

    def _tell(self, done: list[tuple[_Request, Answer]]) -> None:
        # A loop is woken once for all that it waits for: each time costs a call of the system.
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answer], Answer]]] = {}
        for request, answer in done:
            by_loop.setdefault(request.loop, []).append((request.future, answer))
        for loop, answers in by_loop.items():
            _call_in(loop, partial(_set_results, answers))

    def _fail(self, part: _Part, fault: Exception) -> None:
        with self._changed:
            if part.round != part.request.round:
                return
            self._end(part.request)
        _call_in(part.request.loop, partial(_set_exception, part.request.future, fault))

    def _end(self, request: _Request) -> None:
        """Take nothing more of a request, nor what is being scored for it."""
        self._waiting_texts -= request.missing
        request.missing = 0
        request.round += 1
        request.is_over = True
        self._open.discard(request)


def _call_in(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Have a loop call something; one that is closed has nobody who waits."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _set_results(answers: "list[tuple[asyncio.Future[Answer], Answer]]") -> None:
    for future, answer in answers:
        if not future.done():
            future.set_result(answer)


def _set_exception(future: "asyncio.Future[Answer]", fault: Exception) -> None:
    if not future.done():
        future.set_exception(fault)
