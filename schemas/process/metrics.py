"""The metrics of a process that moves events, made once and handed in."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from schemas.process.metric_list import STAGES


@dataclass(frozen=True)
class StageMetrics:
    """What every stage of `STAGES` measures; no label grows with tweets or users.

    What a part of the process measures besides, it registers at `registry` from the list.
    """

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
        for name, spec in vars(STAGES[self.stage]).items():
            object.__setattr__(self, name, spec.register(self.registry))
