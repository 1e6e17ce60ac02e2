"""What a process exposes at /metrics, held against the list of metrics."""

from collections.abc import Iterable, Iterator
from itertools import product

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from schemas.process.metric_list import metrics_of
from schemas.process.metric_spec_types import MetricSpec


def differences(page: str, process: str) -> list[str]:
    """Return a line for each difference between a page and what the list says of its process.

    Kind, help and the names and values of labels count, too. A series that the list can name has
    to be there from the start, and creation times, which the library adds to counters and
    histograms unless it is told not to, have no place on a page.
    """
    return list(_differences(page, process))


def _differences(page: str, process: str) -> Iterator[str]:
    listed = {spec.name.removesuffix("_total"): spec for spec in metrics_of(process)}
    found = {family.name: family for family in text_string_to_metric_families(page)}
    for name in sorted(listed.keys() - found.keys()):
        yield f"{name} is in the list, {process} does not expose it"
    for name in sorted(found.keys() - listed.keys()):
        yield f"{process} exposes {name}, which is not in the list"
    for name in sorted(listed.keys() & found.keys()):
        spec, family = listed[name], found[name]
        if (family.type, family.documentation) != (spec.kind, spec.help):
            yield f"{name} is a {family.type}: {family.documentation}"
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label == "le" and spec.kind == "histogram":
                    continue
                values = spec.labels.get(label, ())
                if values is not None and value not in values:
                    yield f"{name} has {label}={value!r}, which is not in the list"
        yield from _missing_series(name, spec, family.samples)


def _missing_series(name: str, spec: MetricSpec, samples: Iterable[Sample]) -> Iterator[str]:
    known = [values for values in spec.labels.values() if values is not None]
    shown = {tuple(sample.labels.get(label, "") for label in spec.labels) for sample in samples}
    if known and len(known) == len(spec.labels):
        for series in sorted(set(product(*known)) - shown):
            yield f"{name} lacks the series {series}"
