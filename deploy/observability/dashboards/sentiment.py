"""How people feel: how many tweets, of which label, rule and length, and how sure the model is."""

from typing import Final

from deploy.observability.dashboards.panels import Dashboard, Panel, PromQL, Sql

SENTIMENT: Final = Dashboard(
    uid="murmur-sentiment",
    title="Murmur: sentiment",
    about="What the model counts. Audits say what people would count.",
    chooses_run=True,
    rows=(
        (
            "Live",
            (
                Panel(
                    "Tweets a second",
                    (
                        PromQL(
                            "sum by (kind)"
                            ' (rate(murmur_sink_tweets_total{rule=""}[$__rate_interval]))',
                            "{{kind}}",
                        ),
                    ),
                    "Tweets that were stored for the first time.",
                    unit="reqps",
                ),
                Panel(
                    "Share by label",
                    (
                        PromQL(
                            'sum by (label) (rate(murmur_sink_tweets_total{rule=""}[5m]))'
                            " / on () group_left ()"
                            ' sum(rate(murmur_sink_tweets_total{rule=""}[5m]))',
                            "{{label}}",
                        ),
                    ),
                    "As the model counts, of all tweets that are stored: live and replays.",
                    unit="percentunit",
                ),
                Panel(
                    "Share over the last day, with audits",
                    (
                        PromQL(
                            "max by (label, figure) (murmur_aggregates_live_share)",
                            "{{label}} {{figure}}",
                        ),
                    ),
                    "`counted` is the model's share; `audited` is what people would count, with the"
                    " ends of its 95 % interval. Without enough audits there is only the first.",
                    kind="barchart",
                    unit="percentunit",
                ),
                Panel(
                    "Confidence",
                    (
                        PromQL(
                            "histogram_quantile(0.5, sum by (le)"
                            " (rate(murmur_sink_confidence_bucket[5m])))",
                            "median",
                        ),
                        PromQL(
                            "histogram_quantile(0.1, sum by (le)"
                            " (rate(murmur_sink_confidence_bucket[5m])))",
                            "10th percentile",
                        ),
                    ),
                    "The model's own. It falls where it sees what it was not trained on.",
                    unit="percentunit",
                ),
                Panel(
                    "Text length",
                    (
                        PromQL(
                            "histogram_quantile(0.5, sum by (le)"
                            " (rate(murmur_sink_text_length_bucket[5m])))",
                            "median",
                        ),
                        PromQL(
                            "histogram_quantile(0.95, sum by (le)"
                            " (rate(murmur_sink_text_length_bucket[5m])))",
                            "95th percentile",
                        ),
                    ),
                    "Characters of the tweets that were stored.",
                ),
                Panel(
                    "Tweets a minute by rule",
                    (
                        PromQL(
                            '60 * sum by (rule) (rate(murmur_sink_tweets_total{rule!=""}[5m]))',
                            "{{rule}}",
                        ),
                    ),
                    "The first 50 rules that came; the others are `other`.",
                ),
            ),
        ),
        (
            "The chosen run",
            (
                Panel(
                    "Tweets by label",
                    (
                        Sql(
                            "SELECT bucket_start AS time, label, sum(tweets) AS tweets"
                            " FROM reading.minute_counts WHERE run = ${run:sqlstring}"
                            " AND rule IS NULL"
                            " AND bucket_start BETWEEN $__timeFrom() AND $__timeTo()"
                            " GROUP BY 1, 2 ORDER BY 1",
                            over_time=True,
                        ),
                    ),
                    "By when they were posted: choose the archive's years.",
                    width=12,
                ),
                Panel(
                    "Labels by rule",
                    (
                        Sql(
                            "SELECT rule, label, sum(tweets) AS tweets FROM reading.day_counts"
                            " WHERE run = ${run:sqlstring} AND rule IS NOT NULL GROUP BY 1, 2"
                            " ORDER BY 3 DESC LIMIT 500"
                        ),
                    ),
                    "All days of the run.",
                    kind="table",
                    width=12,
                    matrix=("rule", "label", "tweets"),
                ),
                Panel(
                    "Hashtags",
                    (
                        Sql(
                            "SELECT hashtag, label, sum(tweets) AS tweets FROM"
                            " reading.hashtag_day_counts WHERE run = ${run:sqlstring} GROUP BY 1, 2"
                            " ORDER BY 3 DESC LIMIT 60"
                        ),
                    ),
                    "The most frequent, by label.",
                    kind="table",
                    width=12,
                    matrix=("hashtag", "label", "tweets"),
                ),
                Panel(
                    "Mean confidence by label",
                    (
                        Sql(
                            "SELECT bucket_start AS time, label, avg(mean_confidence) AS confidence"
                            " FROM reading.hour_counts WHERE run = ${run:sqlstring} AND"
                            " rule IS NULL"
                            " AND bucket_start BETWEEN $__timeFrom() AND $__timeTo()"
                            " GROUP BY 1, 2 ORDER BY 1",
                            over_time=True,
                        ),
                    ),
                    "By hour.",
                    unit="percentunit",
                    width=12,
                ),
            ),
        ),
    ),
)
