"""A model takes over between two windows: nothing is lost, and the counts go on."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model_server.onnx_engine import Probabilities
from model_server.scorer import Scorer
from schemas.codec import decode_scored, encode, headers_of, key_of
from schemas.events import ModelIdentity, TweetScored
from schemas.process.metrics import StageMetrics
from schemas.settings import Settings
from schemas.topics import DEAD_LETTER, SCORED
from schemas.transport.dead_letters import DeadLetterWriter
from schemas.transport.messages import ConsumedMessage
from schemas.transport.publisher import ConfirmingPublisher
from stream_processors.circuit_breaker.breaker import CircuitBreaker
from stream_processors.scoring.score_and_publish import ScoreStep
from stream_processors.scoring.score_batch import refused_for_ending_processes
from stream_processors.scoring.unfinished_windows import UnfinishedWindows
from tests.integration.replay_runs import messages
from tests.unit.examples import LABELS, RECEIVED_AT, posted


class ConstantEngine:
    """Answers every text alike, and takes a millisecond of CPU for it."""

    labels = LABELS

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        until_s = time.thread_time() + 0.001
        while time.thread_time() < until_s:
            pass
        return np.full((len(texts), len(LABELS)), 1 / len(LABELS))


def scorer(sha256: str) -> Scorer:
    identity = ModelIdentity(name="constant", version="1", sha256=sha256, cleaning="1")
    return Scorer(identity, ConstantEngine(), cache_size=10, clean=str)


def test_a_model_is_taken_for_a_window_and_the_counts_survive_it(
    settings: Settings, tmp_path: Path
) -> None:
    old, new = scorer("a" * 64), scorer("b" * 64)
    current = [old]
    metrics, publisher = (
        StageMetrics("score"),
        ConfirmingPublisher(settings.kafka_connection, "test"),
    )
    step = ScoreStep(
        model=lambda: current[0],
        read=lambda _window: None,
        detect_language=lambda _text: None,
        publisher=publisher,
        scored_topic=settings.names.topic(SCORED),
        dead_letters=DeadLetterWriter(publisher, settings.names.topic(DEAD_LETTER)),
        metrics=metrics,
        now=lambda: RECEIVED_AT,
        guard=CircuitBreaker(
            settings.cluster, settings.hold_limits, clock=time.time, told=lambda _: None
        ),
        unfinished=UnfinishedWindows(
            tmp_path / "windows", refuse=refused_for_ending_processes, scored=lambda: None
        ),
    )

    def count(name: str) -> float:
        return metrics.registry.get_sample_value(name) or 0.0

    def window(first: int) -> list[ConsumedMessage]:
        events = [
            posted(text=f"day {n % 5}", tweet_id=str(800000000000000000 + n))
            for n in range(first, first + 10)
        ]
        return [
            ConsumedMessage("tweets.raw", 0, n, 0, key_of(event), encode(event), headers_of(event))
            for n, event in enumerate(events)
        ]

    step(window(0))
    hits, cpu_s = count("murmur_score_cache_hits_total"), old.engine_cpu_s
    assert hits == old.cache_hits == 5
    current[0] = new
    step(window(10))
    step(window(20))
    assert count("murmur_score_cache_hits_total") == old.cache_hits + new.cache_hits == 20
    spent_s = cpu_s + new.engine_cpu_s
    assert count("murmur_score_engine_cpu_seconds_total") == pytest.approx(spent_s)
    scored = [decode_scored(message.value()) for message in messages(settings, SCORED)]
    models = {
        event.tweet_id: event.score.model.sha256[0]
        for event in scored
        if isinstance(event, TweetScored)
    }
    assert "".join(models[tweet_id] for tweet_id in sorted(models)) == "a" * 10 + "b" * 20
