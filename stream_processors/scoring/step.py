"""The step that the topology runs for each window: score, publish, wait until it is safe."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from prometheus_client import Counter

from model_server.scorer import Scorer
from schemas.codec import encode, headers_of, key_of
from schemas.events import TweetScored
from schemas.process.metrics import StageMetrics
from schemas.transport.dead_letters import DeadLetter, DeadLetterWriter
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.redrives import passed_on
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.scoring.score_batch import Received, ScoringOutcome, score_window
from stream_processors.scoring.unfinished_windows import UnfinishedWindows


class ScoreStep:
    """Scores a window and publishes it; returns once the brokers have acknowledged all of it.

    Raises `DeliveryFailed` where they have not, and `ScoringHeld` during a hold: the window must
    then not be acknowledged. Runs in one thread, always the same.
    """

    def __init__(
        self,
        *,
        scorer: Scorer,
        detect_language: Callable[[str], str | None],
        publisher: ConfirmingPublisher,
        scored_topic: str,
        dead_letters: DeadLetterWriter,
        metrics: StageMetrics,
        now: Callable[[], datetime],
        guard: CircuitBreaker,
        unfinished: UnfinishedWindows[ScoringOutcome],
    ) -> None:
        self._scorer = scorer
        self._detect_language = detect_language
        self._publisher = publisher
        self._scored_topic = scored_topic
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._now = now
        self._guard = guard
        self._unfinished = unfinished
        self._cache_hits = Counter(
            "murmur_score_cache_hits", "Texts whose score was remembered", registry=metrics.registry
        )
        self._engine_cpu_s = Counter(
            "murmur_score_engine_cpu_seconds",
            "CPU time in the tokenizer and the model",
            registry=metrics.registry,
        )

    def judge(self, window: Sequence[Received]) -> list[ScoringOutcome]:
        """Return what a window becomes, and publish nothing."""
        return self._unfinished.judge(window, self._score)

    def _score(self, window: Sequence[Received]) -> list[ScoringOutcome]:
        return score_window(
            window, scorer=self._scorer, detect_language=self._detect_language, now=self._now
        )

    def __call__(self, window: Sequence[Received]) -> None:
        """Process one window."""
        self._guard.admit()
        hits_before, engine_cpu_before_s = self._scorer.cache_hits, self._scorer.engine_cpu_s
        started_s = time.perf_counter()
        outcomes = self.judge(window)
        scored_s = time.perf_counter()
        tweets = 0
        for message, outcome in zip(window, outcomes, strict=True):
            if isinstance(outcome, DeadLetter):
                self._dead_letters.write(outcome)
                self._metrics.dead_letters.labels(outcome.reason).inc()
            else:
                tweets += isinstance(outcome, TweetScored)
                self._publisher.publish(
                    self._scored_topic,
                    key=key_of(outcome),
                    value=encode(outcome),
                    headers=[*headers_of(outcome), *passed_on(message.headers)],
                )
        self._guard.count(
            self._publisher,
            (message.position.partition for message in window),
            (
                message.position.partition
                for message, outcome in zip(window, outcomes, strict=True)
                if isinstance(outcome, DeadLetter)
            ),
        )
        self._publisher.confirm()
        self._metrics.step_seconds.labels("score").observe(scored_s - started_s)
        self._metrics.step_seconds.labels("publish").observe(time.perf_counter() - scored_s)
        self._metrics.batch_events.observe(len(window))
        self._metrics.events.labels("consumed").inc(len(window))
        self._metrics.events.labels("scored").inc(tweets)
        self._cache_hits.inc(self._scorer.cache_hits - hits_before)
        self._engine_cpu_s.inc(self._scorer.engine_cpu_s - engine_cpu_before_s)
