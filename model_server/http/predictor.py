"""Texts to answers for every kind of call: counted, timed, and refused where too many wait."""

import math
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from model_server.http.batching import Answer, Batcher, QueueFull
from model_server.http.problems import Refused
from model_server.onnx_engine import UnscorableTexts

_LATENCY_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_CHARACTERS: Final = (10, 20, 50, 100, 200, 280, 500, 1_000, 5_000, 50_000)
_SHARES: Final = tuple(step / 10 for step in range(1, 11))


class Predictor:
    """Asks the batcher and keeps the metrics; their names are those that dashboards know."""

    def __init__(self, batcher: Batcher, registry: CollectorRegistry) -> None:
        self._batcher = batcher
        self._predictions = Counter(
            "sentiment_predictions_total",
            "Texts that were given a label",
            ["label"],
            registry=registry,
        )
        self._latency = Histogram(
            "sentiment_prediction_latency_seconds",
            "Time from a request's texts to its answers",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._length = Histogram(
            "sentiment_text_length",
            "Characters of the texts",
            buckets=_CHARACTERS,
            registry=registry,
        )
        self._confidence = Histogram(
            "sentiment_confidence", "Confidence of the answers", buckets=_SHARES, registry=registry
        )
        self._refused = Counter(
            "murmur_serve_refused_total",
            "Requests that were refused because too many texts waited",
            registry=registry,
        )
        Gauge(
            "murmur_serve_waiting_texts", "Texts that wait for the model", registry=registry
        ).set_function(lambda: batcher.waiting_texts)

    async def predict(self, texts: Sequence[str]) -> Answer:
        """Return the answers; raise `Refused` where too many wait, or one cannot be scored."""
        began_s = time.perf_counter()
        try:
            answer = await self._batcher.predict(texts)
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
        self._latency.observe(time.perf_counter() - began_s)
        for text, prediction in zip(texts, answer.predictions, strict=True):
            self._predictions.labels(prediction.label).inc()
            self._length.observe(len(text))
            self._confidence.observe(prediction.confidence)
        return answer
