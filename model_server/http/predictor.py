"""Texts to answers for every kind of call: counted, timed, and refused where too many wait."""

import math
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from model_server.http.batching import Answer, Batcher, QueueFull
from model_server.http.problems import Refused
from model_server.onnx_engine import UnscorableTexts
from schemas.process.metric_list import (
    SERVE_CONFIDENCE,
    SERVE_EXPLANATIONS,
    SERVE_LATENCY,
    SERVE_PREDICTIONS,
    SERVE_REFUSED,
    SERVE_TEXT_LENGTH,
    SERVE_WAITING,
)


class Predictor:
    """Asks the batcher and keeps the metrics; their names are those that dashboards know."""

    def __init__(self, batcher: Batcher, registry: CollectorRegistry) -> None:
        self._batcher = batcher
        self._predictions = SERVE_PREDICTIONS.register(registry)
        self._latency = SERVE_LATENCY.register(registry)
        self._length = SERVE_TEXT_LENGTH.register(registry)
        self._confidence = SERVE_CONFIDENCE.register(registry)
        self._explanations = SERVE_EXPLANATIONS.register(registry)
        self._refused = SERVE_REFUSED.register(registry)
        SERVE_WAITING.register(registry).set_function(lambda: batcher.waiting_texts)

    async def predict(self, texts: Sequence[str]) -> Answer:
        """Return the answers; raise `Refused` where too many wait, or one cannot be scored."""
        began_s = time.perf_counter()
        answer = await self._answer(texts)
        self._latency.observe(time.perf_counter() - began_s)
        for text, prediction in zip(texts, answer.predictions, strict=True):
            self._predictions.labels(prediction.label).inc()
            self._length.observe(len(text))
            self._confidence.observe(prediction.confidence)
        return answer

    async def predict_variants(self, variants: Sequence[str], method: str) -> Answer:
        """Return the answers to variants of one text, which counts as an explanation by a method.

        Nobody wrote these: the metrics of predictions ignore them. Raises `Refused` as `predict`.
        """
        answer = await self._answer(variants)
        self._explanations.labels(method).inc()
        return answer

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
