"""The step that the topology runs for each window: score, publish, wait until it is safe."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from model_server.overrides.followed_overrides import no_overrides
from model_server.overrides.override import Overrides
from model_server.scorer import Scorer
from model_server.split import Split
from schemas.codec import encode, headers_of, key_of
from schemas.decisions import NamedDecision
from schemas.events import TweetScored
from schemas.process.metric_list import SCORE_CACHE_HITS, SCORE_ENGINE_CPU
from schemas.process.metrics import StageMetrics
from schemas.transport.dead_letters import DeadLetter, DeadLetterWriter
from schemas.transport.messages import ConsumedMessage
from schemas.transport.publisher import ConfirmingPublisher
from schemas.transport.redrives import passed_on
from schemas.transport.trace_context import sampled_trace, trace_context
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.scoring.score_batch import NO_DECISIONS, ScoringOutcome, score_window
from stream_processors.scoring.unfinished_windows import UnfinishedWindows

logger = logging.getLogger(__name__)


class ScoreStep:
    """Scores a window and publishes it; returns once the brokers have acknowledged all of it.

    `model` is asked once for each window, so that another model may take over between two, and
    `decisions` likewise for those in use, by run, and `split` for how the tweets are split. Raises
    `DeliveryFailed` where the brokers have not acknowledged, and `ScoringHeld` during a hold: the
    window must then not be acknowledged. `read` is told of each window before that. Runs in one
    thread, always the same.
    """

    def __init__(
        self,
        *,
        model: Callable[[], Scorer],
        read: Callable[[Sequence[ConsumedMessage]], None],
        detect_language: Callable[[str], str | None],
        publisher: ConfirmingPublisher,
        scored_topic: str,
        dead_letters: DeadLetterWriter,
        metrics: StageMetrics,
        now: Callable[[], datetime],
        guard: CircuitBreaker,
        unfinished: UnfinishedWindows[ScoringOutcome],
        decisions: Callable[[], Mapping[str, NamedDecision]] = lambda: NO_DECISIONS,
        overrides: Callable[[], Overrides | None] = no_overrides,
        split: Callable[[Scorer], Split | None] = lambda _champion: None,
    ) -> None:
        self._model = model
        self._read = read
        self._detect_language = detect_language
        self._publisher = publisher
        self._scored_topic = scored_topic
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._now = now
        self._guard = guard
        self._unfinished = unfinished
        self._decisions = decisions
        self._overrides = overrides
        self._split = split
        self._cache_hits = SCORE_CACHE_HITS.register(metrics.registry)
        self._engine_cpu_s = SCORE_ENGINE_CPU.register(metrics.registry)

    def dead_letters_among(self, window: Sequence[ConsumedMessage]) -> int:
        """Return how many messages would become dead letters, and publish nothing."""
        scorer = self._model()
        outcomes = self._outcomes(window, scorer, self._split(scorer))
        return sum(isinstance(outcome, DeadLetter) for outcome in outcomes)

    def __call__(self, window: Sequence[ConsumedMessage]) -> None:
        """Process one window."""
        self._read(window)
        self._guard.admit()
        scorer = self._model()
        split = self._split(scorer)
        scorers = [scorer] if split is None else [arm.scorer for arm in split.arms]
        hits_before = sum(each.cache_hits for each in scorers)
        engine_cpu_before_s = sum(each.engine_cpu_s for each in scorers)
        started_s = time.perf_counter()
        outcomes = self._outcomes(window, scorer, split)
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
                    headers=[
                        *headers_of(outcome),
                        *passed_on(message.headers),
                        *trace_context(message.headers),
                    ],
                )
        self._guard.count(
            self._publisher,
            (message.partition for message in window),
            (
                message.partition
                for message, outcome in zip(window, outcomes, strict=True)
                if isinstance(outcome, DeadLetter)
            ),
        )
        self._publisher.confirm()
        self._metrics.step_seconds.labels("score").observe(scored_s - started_s)
        self._metrics.step_seconds.labels("publish").observe(time.perf_counter() - scored_s)
        _log_traces(window, outcomes)
        letters = sum(isinstance(outcome, DeadLetter) for outcome in outcomes)
        self._metrics.passed(len(window), len(window) - letters)
        self._metrics.batch_events.observe(len(window))
        self._metrics.events.labels("consumed").inc(len(window))
        self._metrics.events.labels("scored").inc(tweets)
        self._cache_hits.inc(sum(each.cache_hits for each in scorers) - hits_before)
        self._engine_cpu_s.inc(sum(each.engine_cpu_s for each in scorers) - engine_cpu_before_s)

    def _outcomes(
        self, window: Sequence[ConsumedMessage], scorer: Scorer, split: Split | None
    ) -> list[ScoringOutcome]:
        decisions = self._decisions()
        return self._unfinished.judge(
            window,
            lambda part: score_window(
                part,
                scorer=scorer,
                detect_language=self._detect_language,
                now=self._now,
                decisions=decisions,
                overrides=self._overrides(),
                split=split,
            ),
        )


def _log_traces(window: Sequence[ConsumedMessage], outcomes: Sequence[ScoringOutcome]) -> None:
    for message, outcome in zip(window, outcomes, strict=True):
        trace_id = sampled_trace(message.headers)
        if trace_id is not None:
            logger.info(
                "a traced message is scored",
                extra={
                    "trace_id": trace_id,
                    "topic": message.topic,
                    "partition": message.partition,
                    "offset": message.offset,
                    "outcome": type(outcome).__name__,
                },
            )
