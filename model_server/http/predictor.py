"""Texts to answers for every kind of call: counted, timed, and refused where too many wait."""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from anyio import CapacityLimiter, to_thread
from msgspec.structs import asdict
from prometheus_client import CollectorRegistry

from model_server.cleaning import CLEANING
from model_server.http.answer_cache import AnswerCache
from model_server.http.batching import Answer, Batcher, QueueFull
from model_server.http.problems import Refused
from model_server.onnx_engine import UnscorableTexts
from schemas.events import ModelIdentity
from schemas.process.metric_list import (
    SERVE_CONFIDENCE,
    SERVE_EXPLANATIONS,
    SERVE_LATENCY,
    SERVE_MODEL_INFO,
    SERVE_PREDICTIONS,
    SERVE_REFUSED,
    SERVE_TEXT_LENGTH,
    SERVE_WAITING,
)

_CHARS_CLEANED_AT_ONCE: Final = 20_000
"""More of them would hold up every other request for milliseconds: a thread cleans them."""


class Predictor:
    """Looks answers up, asks the batcher for the others, and keeps the metrics.

    The metrics' names are those that dashboards know. `serving` says which model answers now,
    and `labels` which series are there from the start.
    """

    def __init__(
        self,
        batcher: Batcher,
        registry: CollectorRegistry,
        *,
        cache: AnswerCache,
        serving: Callable[[], ModelIdentity],
        labels: Sequence[str] = (),
    ) -> None:
        self._batcher = batcher
        self._cache = cache
        self._serving = serving
        # Threads of their own: those of all calls together may wait for PostgreSQL.
        self._cleaners = CapacityLimiter(2)
        self._predictions = SERVE_PREDICTIONS.register(registry)
        for label in labels:
            self._predictions.labels(label)
        self._latency = SERVE_LATENCY.register(registry)
        self._length = SERVE_TEXT_LENGTH.register(registry)
        self._confidence = SERVE_CONFIDENCE.register(registry)
        self._explanations = SERVE_EXPLANATIONS.register(registry)
        self._refused = SERVE_REFUSED.register(registry)
        self._model = SERVE_MODEL_INFO.register(registry)
        self._shown = serving()
        self._model.labels(**asdict(self._shown)).set(1)
        SERVE_WAITING.register(registry).set_function(lambda: batcher.waiting_texts)

    async def predict(self, texts: Sequence[str]) -> Answer:
        """Return the answers, all of one model; what was answered before is looked up.

        Raises `Refused` where too many wait, or one cannot be scored.
        """
        began_s = time.perf_counter()
        answer = await self._looked_up(texts)
        self._latency.observe(time.perf_counter() - began_s)
        if answer.model != self._shown:
            self._shown = answer.model
            self._model.clear()
            self._model.labels(**asdict(answer.model)).set(1)
        for text, prediction in zip(texts, answer.predictions, strict=True):
            self._predictions.labels(prediction.label).inc()
            self._length.observe(len(text))
            self._confidence.observe(prediction.confidence)
        return answer

    async def predict_counted_nowhere(self, texts: Sequence[str]) -> Answer:
        """Return the answers to texts that nobody asks about now, as an evaluation's.

        The metrics of predictions ignore them. Raises `Refused` as `predict`.
        """
        return await self._answer(texts)

    async def predict_variants(self, variants: Sequence[str], method: str) -> Answer:
        """Return the answers to variants of one text, which counts as an explanation by a method.

        Nobody wrote these: the metrics of predictions ignore them. Raises `Refused` as `predict`.
        """
        answer = await self._answer(variants)
        self._explanations.labels(method).inc()
        return answer

    async def _looked_up(self, texts: Sequence[str]) -> Answer:
        model = self._serving()
        keys = await self._keys_of(model, texts)
        found = await self._cache.find(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            answer = await self._answer(list(new.values()))
            if answer.model != model:
                # Another model took over meanwhile: it answers all of them.
                return answer if len(new) == len(texts) else await self._answer(texts)
            scored = dict(zip(new, answer.predictions, strict=True))
            self._cache.keep(scored)
            found |= scored
        return Answer([found[key] for key in keys], model)

    async def _keys_of(self, model: ModelIdentity, texts: Sequence[str]) -> list[str]:
        if sum(map(len, texts)) <= _CHARS_CLEANED_AT_ONCE:
            return self._cleaned_keys(model, texts)
        clean = partial(self._cleaned_keys, model, texts)
        return await to_thread.run_sync(clean, limiter=self._cleaners)

    def _cleaned_keys(self, model: ModelIdentity, texts: Sequence[str]) -> list[str]:
        clean = CLEANING[model.cleaning]
        return self._cache.keys_of(model, [clean(text) for text in texts])

    async def _answer(self, texts: Sequence[str]) -> Answer:
        try:
            return await self._batcher.predict(texts)
        except QueueFull as full:
            self._refused.inc()
            after_s = math.ceil(full.retry_after_s)
            raise Refused(
                503,
                "queue-full",
                "Too many texts wait.",
                f"Try again in {after_s} s.",
                {"Retry-After": str(after_s)},
            ) from None
        except UnscorableTexts:
            raise Refused(
                422, "unscorable", "A text cannot be scored.", "The model refuses it."
            ) from None
