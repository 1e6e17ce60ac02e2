"""What is said of a metric before any process makes it, and the making of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar, Literal, TypeAlias, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

MetricT = TypeVar("MetricT", Counter, Gauge, Histogram)
MetricKind: TypeAlias = Literal["counter", "gauge", "histogram"]
LabelValues: TypeAlias = tuple[str, ...] | None
"""Every value that a label may have; None where X, a caller, a bundle or the process names them."""


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """One metric family. `name` is what a query says: counters end in `_total`.

    `unit` is of the value (of an observation, where it is a histogram), empty for a yes or no.
    `exposed_by` names the processes whose /metrics have it. A label that no process gives a value
    has none to be seen. Where the list has every value of every label, each series is there from
    the start, with 0: an alert can wait for the first increment.

    `replaced_by` is the name that dashboards should use instead: the metric goes with the release
    after the one that first says so.
    """

    kind: ClassVar[MetricKind]
    name: str
    unit: str
    help: str
    exposed_by: tuple[str, ...]
    labels: Mapping[str, LabelValues] = field(default_factory=dict)
    replaced_by: str = ""

    def with_series(self, metric: MetricT) -> MetricT:
        """Return the metric with every series that the list can name."""
        known = [values for values in self.labels.values() if values is not None]
        if self.labels and len(known) == len(self.labels):
            for values in product(*known):
                metric.labels(*values)
        return metric


class CounterSpec(MetricSpec):
    """A number that only grows while its process lives."""

    kind = "counter"

    def register(self, registry: CollectorRegistry) -> Counter:
        """Make the metric; `ValueError` where the registry has it already."""
        return self.with_series(Counter(self.name, self.help, list(self.labels), registry=registry))


class GaugeSpec(MetricSpec):
    """A number that rises and falls."""

    kind = "gauge"

    def register(self, registry: CollectorRegistry) -> Gauge:
        """Make the metric; `ValueError` where the registry has it already."""
        return self.with_series(Gauge(self.name, self.help, list(self.labels), registry=registry))


@dataclass(frozen=True, kw_only=True)
class HistogramSpec(MetricSpec):
    """Observations counted by size. `buckets` are upper bounds, ascending, in `unit`."""

    kind = "histogram"
    buckets: tuple[float, ...]

    def register(self, registry: CollectorRegistry) -> Histogram:
        """Make the metric; `ValueError` where the registry has it already."""
        return self.with_series(
            Histogram(
                self.name, self.help, list(self.labels), buckets=self.buckets, registry=registry
            )
        )
