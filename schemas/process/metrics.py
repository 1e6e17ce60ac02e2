"""The metrics of a process that moves events, made once and handed in."""

import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from schemas.process import metric_list
from schemas.process.metric_list import STAGES
from schemas.process.progress import Health, Progress


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
    events_in: Counter | None = field(init=False, default=None)
    events_out: Counter | None = field(init=False, default=None)
    partition_lag: Gauge | None = field(init=False, default=None)
    _shown: set[tuple[str, int]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.registry)
        for name, spec in vars(STAGES[self.stage]).items():
            object.__setattr__(self, name, spec.register(self.registry))
        process = self.stage.replace("_", "-")
        if process in metric_list.EVENTS_IN.exposed_by:
            for name, counter in (
                ("events_in", metric_list.EVENTS_IN),
                ("events_out", metric_list.EVENTS_OUT),
            ):
                object.__setattr__(self, name, counter.register(self.registry).labels(self.stage))
        if process in metric_list.PARTITION_LAG.exposed_by:
            lag = metric_list.PARTITION_LAG.register(self.registry)
            object.__setattr__(self, "partition_lag", lag)
        metric_list.BUILD_INFO.register(self.registry).labels(
            self.stage, version("murmur"), platform.python_version()
        ).set(1)

    def passed(self, read: int, written: int) -> None:
        """Count what was read and finished, and the events that came of it and are safe."""
        if self.events_in is not None and self.events_out is not None:
            self.events_in.inc(read)
            self.events_out.inc(written)

    def show_partitions(self, lag: Mapping[tuple[str, int], int]) -> None:
        """Show the lag of these partitions and of no other."""
        if self.partition_lag is None:
            return
        for topic, partition in self._shown - lag.keys():
            self.partition_lag.remove(self.stage, topic, str(partition))
        for (topic, partition), messages in lag.items():
            self.partition_lag.labels(self.stage, topic, str(partition)).set(messages)
        self._shown.clear()
        self._shown.update(lag)

    def follow(self, progress: Progress, readiness: Callable[[], Health], home: Path) -> None:
        """Show from now on whether the process is ready, for whom it waits, and its disk."""
        metric_list.READY.register(self.registry).labels(self.stage).set_function(
            lambda: readiness().ok
        )
        away = metric_list.SERVER_AWAY.register(self.registry)
        for server in metric_list.SERVER_AWAY.labels["server"] or ():
            away.labels(self.stage, server).set_function(_is_away(progress, server))
        for spec, figure in ((metric_list.DISK_FREE, "free"), (metric_list.DISK_SIZE, "total")):
            spec.register(self.registry).labels(self.stage).set_function(_disk(home, figure))


def _is_away(progress: Progress, server: str) -> Callable[[], float]:
    return lambda: progress.unavailable == server


def _disk(home: Path, figure: str) -> Callable[[], float]:
    def ask() -> float:
        there = home.absolute()
        while not there.exists():
            there = there.parent
        return float(getattr(shutil.disk_usage(there), figure))

    return ask
