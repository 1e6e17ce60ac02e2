"""The metrics of a process that moves events, made once and handed in."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

_STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH_EVENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class StageMetrics:
    """Metrics shared by replay, score and sink; no label grows with tweets or users."""

    stage: str
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    events: Counter = field(init=False)
    dead_letters: Counter = field(init=False)
    expired_unread: Counter = field(init=False)
    lag: Gauge = field(init=False)
    batch_events: Histogram = field(init=False)
    step_seconds: Histogram = field(init=False)
    last_progress: Gauge = field(init=False)

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.registry)
        prefix = f"murmur_{self.stage}"

        def put(name: str, metric: Counter | Gauge | Histogram) -> None:
            object.__setattr__(self, name, metric)

        registry = self.registry
        put(
            "events",
            Counter(f"{prefix}_events", "Events by outcome", ["outcome"], registry=registry),
        )
        put(
            "dead_letters",
            Counter(f"{prefix}_dead_letters", "Dead letters", ["reason"], registry=registry),
        )
        put(
            "expired_unread",
            Counter(
                f"{prefix}_expired_unread",
                "Messages that expired before they were read",
                registry=registry,
            ),
        )
        put("lag", Gauge(f"{prefix}_lag_events", "Events not yet processed", registry=registry))
        put(
            "batch_events",
            Histogram(
                f"{prefix}_batch_events",
                "Events in a batch",
                buckets=_BATCH_EVENTS,
                registry=registry,
            ),
        )
        put(
            "step_seconds",
            Histogram(
                f"{prefix}_step_seconds",
                "Time of a step for a batch",
                ["step"],
                buckets=_STEP_SECONDS,
                registry=registry,
            ),
        )
        put(
            "last_progress",
            Gauge(
                f"{prefix}_last_progress_timestamp_seconds",
                "When a batch was last finished",
                registry=registry,
            ),
        )
