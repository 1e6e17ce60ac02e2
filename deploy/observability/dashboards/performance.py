"""How fast it is: time by step, throughput, what is left of the capacity, errors."""

from typing import Final

from deploy.observability.dashboards.panels import Dashboard, Panel, PromQL

_STEPS: Final = (("score", "murmur_score"), ("sink", "murmur_sink"), ("watch", "murmur_watch"))


def _quantile(share: float, histogram: str, by: str = "") -> str:
    grouped = f"le, {by}" if by else "le"
    rates = f"rate({histogram}_bucket[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({grouped}) ({rates}))"


PERFORMANCE: Final = Dashboard(
    uid="murmur-performance",
    title="Murmur: performance",
    about="Where the time goes, and how much more would fit.",
    rows=(
        (
            "From end to end",
            (
                Panel(
                    "From receipt to commit",
                    tuple(
                        PromQL(_quantile(share, "murmur_sink_event_age_seconds"), name)
                        for share, name in (
                            (0.5, "median"),
                            (0.95, "95th"),
                            (0.99, "99th percentile"),
                        )
                    ),
                    "How old a tweet is when PostgreSQL has it.",
                    unit="s",
                ),
                Panel(
                    "Events a second in",
                    (PromQL("stage:murmur_events_in:rate5m", "{{stage}}"),),
                    "What each stage reads and finishes.",
                    unit="reqps",
                ),
                Panel(
                    "Events a second out",
                    (PromQL("stage:murmur_events_out:rate5m", "{{stage}}"),),
                    "What each stage publishes or stores.",
                    unit="reqps",
                ),
            ),
        ),
        (
            "By step",
            (
                *(
                    Panel(
                        f"Time of a batch: {stage}",
                        (PromQL(_quantile(0.95, f"{prefix}_step_seconds", "step"), "{{step}}"),),
                        "95th percentile of each step.",
                        unit="s",
                    )
                    for stage, prefix in _STEPS
                ),
                Panel(
                    "Events in a batch",
                    tuple(
                        PromQL(_quantile(0.5, f"{prefix}_batch_events"), stage)
                        for stage, prefix in _STEPS
                    ),
                    "Median. Larger batches: more waits for this stage.",
                ),
                Panel(
                    "Processor time",
                    (
                        PromQL(
                            "sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))",
                            "{{job}}",
                        ),
                    ),
                    "Cores in use.",
                ),
                Panel(
                    "Memory",
                    (PromQL("sum by (job) (process_resident_memory_bytes)", "{{job}}"),),
                    "Resident, of all processes of a kind.",
                    unit="bytes",
                ),
            ),
        ),
        (
            "Capacity and errors",
            (
                Panel(
                    "Share of a core that the model takes",
                    (
                        PromQL(
                            "sum(rate(murmur_score_engine_cpu_seconds_total[$__rate_interval]))",
                            "cores",
                        ),
                    ),
                    "At one for each scoring process, more processes are needed.",
                ),
                Panel(
                    "Texts whose score was remembered",
                    (
                        PromQL(
                            "sum(rate(murmur_score_cache_hits_total[5m]))"
                            ' / (sum(rate(murmur_events_in_total{stage="score"}[5m])) > 0)',
                            "share",
                        ),
                    ),
                    "Retweets and repeats cost no model.",
                    unit="percentunit",
                ),
                Panel(
                    "Tweets a second that would fit",
                    (
                        PromQL(
                            "count(murmur_score_held) *"
                            ' sum(rate(murmur_events_in_total{stage="score"}[5m]))'
                            " / (sum(rate(murmur_score_engine_cpu_seconds_total[5m])) > 0)",
                            "tweets",
                        ),
                    ),
                    "At the present mix, if each scoring process had a core for its model.",
                    unit="reqps",
                ),
                Panel(
                    "Dead letters a second",
                    (PromQL("stage:murmur_dead_letters:rate5m", "{{stage}}"),),
                    "What could not be processed.",
                    unit="reqps",
                ),
                Panel(
                    "Refreshes of aggregates",
                    (
                        PromQL(
                            _quantile(0.95, "murmur_aggregates_refresh_seconds"), "95th percentile"
                        ),
                    ),
                    "Time of a round.",
                    unit="s",
                ),
                Panel(
                    "Failed refreshes",
                    (
                        PromQL(
                            "sum by (server) (rate(murmur_aggregates_refresh_failures_total[5m]))",
                            "{{server}}",
                        ),
                    ),
                    "Rounds a second that failed, by the server that was away.",
                    unit="reqps",
                ),
            ),
        ),
    ),
)
