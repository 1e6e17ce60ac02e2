"""What is said of a metric before any process makes it, and the making of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

MetricKind: TypeAlias = Literal["counter", "gauge", "histogram"]
LabelValues: TypeAlias = tuple[str, ...] | None
"""Every value that a label may have; None where X, a caller or a bundle names them."""


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """One metric family. `name` is what a query says: counters end in `_total`.

    `unit` is of the value (of an observation, where it is a histogram), empty for a yes or no.
    `exposed_by` names the processes whose /metrics have it. A label that no process gives a value
    has none to be seen.
    """

    kind: ClassVar[MetricKind]
    name: str
    unit: str
    help: str
    exposed_by: tuple[str, ...]
    labels: Mapping[str, LabelValues] = field(default_factory=dict)


class CounterSpec(MetricSpec):
    """A number that only grows while its process lives."""

    kind = "counter"

    def register(self, registry: CollectorRegistry) -> Counter:
        """Make the metric; `ValueError` where the registry has it already."""
        return Counter(self.name, self.help, list(self.labels), registry=registry)


class GaugeSpec(MetricSpec):
    """A number that rises and falls."""

    kind = "gauge"

    def register(self, registry: CollectorRegistry) -> Gauge:
        """Make the metric; `ValueError` where the registry has it already."""
        return Gauge(self.name, self.help, list(self.labels), registry=registry)


@dataclass(frozen=True, kw_only=True)
class HistogramSpec(MetricSpec):
    """Observations counted by size. `buckets` are upper bounds, ascending, in `unit`."""

    kind = "histogram"
    buckets: tuple[float, ...]

    def register(self, registry: CollectorRegistry) -> Histogram:
        """Make the metric; `ValueError` where the registry has it already."""
        return Histogram(
            self.name, self.help, list(self.labels), buckets=self.buckets, registry=registry
        )
