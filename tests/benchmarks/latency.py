"""How old tweets are when PostgreSQL has them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_stack import BenchStack

_BUCKET = re.compile(r'murmur_sink_event_age_seconds_bucket\{le="([^"]+)"\}')


def latency_at(bench: BenchStack, archive: Path, rate: int) -> dict[str, Any]:
    """Replay an archive at a rate, and return percentiles of the ages that the sink saw."""
    sink = bench.workers["sink"]
    before = ages(sink.metrics())
    replay = bench.replay(archive, archive.stem, "--rate", str(rate))
    replay.wait(timeout=600)
    bench.wait_until_done(60)
    after = ages(sink.metrics())
    counts = {bound_s: after[bound_s] - before.get(bound_s, 0) for bound_s in after}
    return {
        "tweets_per_s": rate,
        "tweets": round(max(counts.values())),
        "p50_ms": round(percentile(counts, 0.50) * 1000),
        "p99_ms": round(percentile(counts, 0.99) * 1000),
    }


def ages(metrics: Mapping[str, float]) -> dict[float, float]:
    """Return the cumulative buckets of the ages by their upper bound in seconds."""
    found = ((_BUCKET.fullmatch(name), value) for name, value in metrics.items())
    return {float(match.group(1)): value for match, value in found if match}


def percentile(cumulative: Mapping[float, float], share: float) -> float:
    """Return a percentile of a Prometheus histogram, linear within a bucket."""
    target = share * max(cumulative.values())
    lower_s, below = 0.0, 0.0
    for bound_s, value in sorted(cumulative.items()):
        if value >= target:
            inside = (target - below) / (value - below) if value > below else 1.0
            return lower_s + (min(bound_s, 1e9) - lower_s) * inside
        lower_s, below = bound_s, value
    return lower_s
