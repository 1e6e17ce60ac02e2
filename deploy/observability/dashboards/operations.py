"""Whether everything works: lag, holds, dead letters, gaps, spend, processes."""

from typing import Final

from deploy.observability.dashboards.panels import Dashboard, Panel, PromQL, Sql

OPERATIONS: Final = Dashboard(
    uid="murmur-operations",
    title="Murmur: operations",
    about="Begin here when an alert comes; its runbook says what to look at.",
    rows=(
        (
            "Now",
            (
                Panel(
                    "Processes that answer",
                    (PromQL("sum by (job) (up)", "{{job}}"),),
                    "Of each kind.",
                    kind="stat",
                    width=6,
                ),
                Panel(
                    "Ready",
                    (PromQL("sum by (stage) (murmur_ready)", "{{stage}}"),),
                    "Whose /readyz is green.",
                    kind="stat",
                    width=6,
                ),
                Panel(
                    "Servers away",
                    (PromQL("max by (server) (murmur_server_away)", "{{server}}"),),
                    "1: a process waits for it.",
                    kind="stat",
                    width=6,
                ),
                Panel(
                    "Scoring is held",
                    (PromQL("max(murmur_score_held)", "held"),),
                    "1: too many tweets became dead letters.",
                    kind="stat",
                    width=6,
                ),
            ),
        ),
        (
            "Work",
            (
                Panel(
                    "Lag by stage",
                    (PromQL("stage:murmur_lag_messages:sum", "{{stage}}"),),
                    "Messages that wait.",
                ),
                Panel(
                    "Lag by partition",
                    (
                        PromQL(
                            "max by (stage, topic, partition) (murmur_partition_lag_messages)",
                            "{{stage}} {{topic}} {{partition}}",
                        ),
                    ),
                    "One alone: its process stalls.",
                ),
                Panel(
                    "Time to catch up",
                    (
                        PromQL(
                            "stage:murmur_lag_messages:sum / (stage:murmur_events_in:rate5m > 0)",
                            "{{stage}}",
                        ),
                    ),
                    "At the present speed, if nothing came in.",
                    unit="s",
                ),
                Panel(
                    "Dead letters by reason",
                    (
                        PromQL(
                            "sum by (reason) (increase(murmur_score_dead_letters_total[5m]))",
                            "score {{reason}}",
                        ),
                        PromQL(
                            "sum by (reason) (increase(murmur_sink_dead_letters_total[5m]))",
                            "sink {{reason}}",
                        ),
                    ),
                    "In five minutes.",
                ),
                Panel(
                    "Dead letters that wait",
                    (PromQL("max(murmur_watch_dead_letters_waiting)", "letters"),),
                    "Neither redriven nor discarded.",
                ),
                Panel(
                    "Lost: expired unread",
                    (
                        PromQL("sum(murmur_score_expired_unread_total)", "score"),
                        PromQL("sum(murmur_sink_expired_unread_total)", "sink"),
                    ),
                    "Messages that Kafka deleted before they were read.",
                ),
            ),
        ),
        (
            "Dead letters in PostgreSQL",
            (
                Panel(
                    "By run, stage and reason",
                    (
                        Sql(
                            "SELECT run, stage, reason, status, count(*) AS letters,"
                            " max(first_seen_at) AS newest FROM reading.dead_letters"
                            " GROUP BY 1, 2, 3, 4 ORDER BY 6 DESC LIMIT 50"
                        ),
                    ),
                    "`murmur dead-letters list` shows each.",
                    kind="table",
                    width=24,
                ),
            ),
        ),
        (
            "The live stream",
            (
                Panel(
                    "Connected",
                    (PromQL("max(murmur_stream_connected)", "connected"),),
                    "1 while X sends. Empty without a live stream.",
                    kind="stat",
                    width=6,
                ),
                Panel(
                    "Month's posts",
                    (
                        PromQL(
                            "max(murmur_stream_month_posts) / max(murmur_stream_month_posts_limit)",
                            "of the limit",
                        ),
                    ),
                    "Of MURMUR_X_MONTHLY_POSTS.",
                    kind="stat",
                    unit="percentunit",
                    width=6,
                ),
                Panel(
                    "Rules at X",
                    (PromQL("min(murmur_stream_rules_at_x)", "rules"),),
                    "As X last said.",
                    kind="stat",
                    width=6,
                ),
                Panel(
                    "Gaps that wait",
                    (PromQL("max(murmur_watch_gaps_unfilled)", "gaps"),),
                    "`murmur gaps refill`, within seven days.",
                    kind="stat",
                    width=6,
                ),
                Panel(
                    "Ends of connections",
                    (
                        PromQL(
                            "sum by (reason) (increase(murmur_stream_endings_total[1h]))",
                            "{{reason}}",
                        ),
                    ),
                    "In an hour.",
                ),
                Panel(
                    "Lines on disk",
                    (PromQL("max(murmur_stream_spilled_bytes)", "bytes"),),
                    "While Kafka is slow.",
                    unit="bytes",
                ),
                Panel(
                    "Posts read by day",
                    (
                        Sql(
                            "SELECT day::timestamp AS time, posts FROM"
                            " reading.posts_read ORDER BY 1",
                            over_time=True,
                        ),
                    ),
                    "What X bills.",
                ),
                Panel(
                    "Gaps",
                    (
                        Sql(
                            "SELECT from_at, to_at, reason, status, posts_refilled FROM"
                            " reading.gaps ORDER BY 1 DESC LIMIT 50"
                        ),
                    ),
                    "Times without a connection.",
                    kind="table",
                    width=24,
                ),
            ),
        ),
        (
            "Machines",
            (
                Panel(
                    "Free disk",
                    (
                        PromQL(
                            "min by (stage) (murmur_home_free_bytes / murmur_home_size_bytes)",
                            "{{stage}}",
                        ),
                    ),
                    "Of MURMUR_HOME.",
                    unit="percentunit",
                ),
                Panel(
                    "Starts",
                    (PromQL("max by (job) (process_start_time_seconds) * 1000", "{{job}}"),),
                    "When each last started.",
                    unit="dateTimeAsIso",
                    kind="stat",
                ),
                Panel(
                    "Releases",
                    (
                        PromQL(
                            "count by (stage, version) (murmur_build_info)", "{{stage}} {{version}}"
                        ),
                    ),
                    "Two of one stage: an upgrade is on its way.",
                    kind="stat",
                ),
            ),
        ),
    ),
)
