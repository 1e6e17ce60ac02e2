"""Every metric that any process of Murmur exposes: alerts and dashboards may name no other.

`python -m schemas.process.metric_list` prints them as a table.
"""

import sys
from dataclasses import dataclass
from typing import Final

from schemas.alarm_events import AlarmKind, Signal
from schemas.codec import Reason
from schemas.events import AuthorErased, TweetDeleted, TweetPosted, TweetWithheld
from schemas.process.metric_spec_types import (
    CounterSpec,
    GaugeSpec,
    HistogramSpec,
    LabelValues,
    MetricSpec,
)
from schemas.process.process_list import (
    COMPLIANCE_STREAM,
    GUARD,
    PROCESSES,
    RETRAIN_WATCH,
    SCORE,
    SERVE,
    SHADOW,
    SINK,
    STREAM,
    WATCH,
)

REPLAY: Final = "replay"
"""No long-running process, but `murmur replay --probe-port` serves metrics too."""

EXPOSING: Final = (REPLAY, *(process.name for process in PROCESSES))
"""Whoever serves metrics."""

_STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH_EVENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
_AGE_SECONDS = (*(step / 20 for step in range(1, 21)), 1.5, 2, 3, 5, 10, 30, 60, 300, 3600)
"""Fine where the promise lies (half a second at half load), coarse beyond."""
_REFRESH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

_RAW_EVENTS = tuple(
    event.__name__ for event in (TweetPosted, TweetDeleted, TweetWithheld, AuthorErased)
)
_REASONS = tuple(reason.value for reason in Reason)
_ENDINGS = (
    "closed-by-x",
    "connection-lost",
    "unreachable",
    "http-error",
    "rate-limited",
    "too-many-connections",
    "silent-stall",
    "no-posts",
    "fields-missing",
    "client-fault",
    "buffer-full",
    "spend-guard",
    "stopped",
    "process-ended",
)


_OF_EVENTS = (
    REPLAY,
    SCORE.name,
    SINK.name,
    STREAM.name,
    COMPLIANCE_STREAM.name,
    WATCH.name,
    SHADOW.name,
)
"""Processes that events pass through."""

BUILD_INFO: Final = GaugeSpec(
    name="murmur_build_info",
    unit="",
    help="1 for the release and the Python that run",
    labels={"stage": None, "version": None, "python": None},
    exposed_by=EXPOSING,
)
EVENTS_IN: Final = CounterSpec(
    name="murmur_events_in_total",
    unit="events",
    help="What a stage has read and finished: messages, or lines of X and of archives",
    labels={"stage": None},
    exposed_by=_OF_EVENTS,
)
EVENTS_OUT: Final = CounterSpec(
    name="murmur_events_out_total",
    unit="events",
    help="Events that a stage has published or stored, safely",
    labels={"stage": None},
    exposed_by=_OF_EVENTS,
)
PARTITION_LAG: Final = GaugeSpec(
    name="murmur_partition_lag_messages",
    unit="messages",
    help="Messages of a partition of this process that are not yet processed",
    labels={"stage": None, "topic": None, "partition": None},
    exposed_by=(SCORE.name, SINK.name, WATCH.name, SHADOW.name),
)
READY: Final = GaugeSpec(
    name="murmur_ready",
    unit="",
    help="1 while /readyz is green",
    labels={"stage": None},
    exposed_by=EXPOSING,
)
SERVER_AWAY: Final = GaugeSpec(
    name="murmur_server_away",
    unit="",
    help="1 while the process waits for a server",
    labels={"stage": None, "server": ("Kafka", "PostgreSQL")},
    exposed_by=EXPOSING,
)
DISK_FREE: Final = GaugeSpec(
    name="murmur_home_free_bytes",
    unit="bytes",
    help="Free on the disk of MURMUR_HOME",
    labels={"stage": None},
    exposed_by=EXPOSING,
)
DISK_SIZE: Final = GaugeSpec(
    name="murmur_home_size_bytes",
    unit="bytes",
    help="Size of the disk of MURMUR_HOME",
    labels={"stage": None},
    exposed_by=EXPOSING,
)


@dataclass(frozen=True)
class StageSpecs:
    """The metrics that every stage has, under its own prefix."""

    events: CounterSpec
    dead_letters: CounterSpec
    expired_unread: CounterSpec
    lag: GaugeSpec
    batch_events: HistogramSpec
    step_seconds: HistogramSpec
    last_progress: GaugeSpec


def _stage(
    name: str,
    exposed_by: str,
    *,
    outcomes: LabelValues,
    steps: tuple[str, ...],
    events_replaced_by: str = "",
) -> StageSpecs:
    by = (exposed_by,)
    prefix = f"murmur_{name}"
    return StageSpecs(
        events=CounterSpec(
            name=f"{prefix}_events_total",
            unit="events",
            help="Events by outcome",
            labels={"outcome": outcomes},
            exposed_by=by,
            replaced_by=events_replaced_by,
        ),
        dead_letters=CounterSpec(
            name=f"{prefix}_dead_letters_total",
            unit="messages",
            help="Dead letters",
            labels={"reason": _REASONS},
            exposed_by=by,
        ),
        expired_unread=CounterSpec(
            name=f"{prefix}_expired_unread_total",
            unit="messages",
            help="Messages that expired before they were read",
            exposed_by=by,
        ),
        lag=GaugeSpec(
            name=f"{prefix}_lag_events",
            unit="events",
            help="Events not yet processed",
            exposed_by=by,
        ),
        batch_events=HistogramSpec(
            name=f"{prefix}_batch_events",
            unit="events",
            help="Events in a batch",
            buckets=_BATCH_EVENTS,
            exposed_by=by,
        ),
        step_seconds=HistogramSpec(
            name=f"{prefix}_step_seconds",
            unit="seconds",
            help="Time of a step for a batch",
            labels={"step": steps},
            buckets=_STEP_SECONDS,
            exposed_by=by,
        ),
        last_progress=GaugeSpec(
            name=f"{prefix}_last_progress_timestamp_seconds",
            unit="seconds since 1970",
            help="When a batch was last finished",
            exposed_by=by,
        ),
    )


STAGES: Final = {
    "replay": _stage("replay", REPLAY, outcomes=_RAW_EVENTS, steps=()),
    "score": _stage(
        "score",
        SCORE.name,
        outcomes=("consumed", "scored"),
        steps=("score", "publish"),
        # Each tweet counts twice in it, so that its sum means nothing.
        events_replaced_by=f"{EVENTS_IN.name}, {EVENTS_OUT.name}",
    ),
    "sink": _stage(
        "sink",
        SINK.name,
        outcomes=(
            "inserted",
            "edited",
            "outdated",
            "repeated",
            "refused",
            "expired",
            "removal",
            "removed",
            "run-deleted",
        ),
        steps=("store", "commit"),
    ),
    "watch": _stage(
        "watch",
        WATCH.name,
        outcomes=("counted", "repeated", "late", "recomputed", "removal", "invalid", "run-deleted"),
        steps=("store",),
    ),
    "shadow": _stage(
        "shadow",
        SHADOW.name,
        outcomes=(
            "compared",
            "repeated",
            "not-sampled",
            "removal",
            "refused",
            "invalid",
            "unscorable",
            "run-deleted",
        ),
        steps=("score", "publish", "store"),
    ),
    # What X sends and is no event of ours counts under X's own name for it.
    "stream": _stage("stream", STREAM.name, outcomes=None, steps=()),
    "serve": _stage("serve", SERVE.name, outcomes=None, steps=()),
    "retrain_watch": _stage("retrain_watch", RETRAIN_WATCH.name, outcomes=None, steps=()),
    "guard": _stage("guard", GUARD.name, outcomes=None, steps=()),
    "compliance_stream": _stage(
        "compliance_stream", COMPLIANCE_STREAM.name, outcomes=None, steps=()
    ),
}
"""By the name of a stage, which stands in the names of its metrics."""


SCORE_HELD: Final = GaugeSpec(
    name="murmur_score_held",
    unit="",
    help="1 while scoring is held",
    exposed_by=(SCORE.name,),
)
SCORE_HOLDS: Final = CounterSpec(
    name="murmur_score_holds_total",
    unit="holds",
    help="How often scoring was held",
    exposed_by=(SCORE.name,),
)
SCORE_CACHE_HITS: Final = CounterSpec(
    name="murmur_score_cache_hits_total",
    unit="texts",
    help="Texts whose score was remembered",
    exposed_by=(SCORE.name,),
)
SCORE_ENGINE_CPU: Final = CounterSpec(
    name="murmur_score_engine_cpu_seconds_total",
    unit="seconds",
    help="CPU time in the tokenizer and the model",
    exposed_by=(SCORE.name,),
)
SCORE_MODEL_INFO: Final = GaugeSpec(
    name="murmur_score_model_info",
    unit="",
    help="1 for the model that scores; sha256 is of its manifest",
    labels={"name": None, "version": None, "sha256": None, "cleaning": None},
    exposed_by=(SCORE.name,),
)
SCORE_MODEL_SWAPS: Final = CounterSpec(
    name="murmur_score_model_swaps_total",
    unit="swaps",
    help="How often a promoted model took over",
    exposed_by=(SCORE.name,),
)
SCORE_PROMOTED_NOT_SERVED: Final = GaugeSpec(
    name="murmur_score_promoted_model_not_served",
    unit="",
    help="1 while a promoted model cannot be served",
    exposed_by=(SCORE.name,),
)
SERVE_PREDICTIONS: Final = CounterSpec(
    name="sentiment_predictions_total",
    unit="texts",
    help="Texts that were given a label over HTTP",
    labels={"label": None},
    exposed_by=(SERVE.name,),
)
SERVE_MODEL_INFO: Final = GaugeSpec(
    name="murmur_serve_model_info",
    unit="",
    help="1 for the model that answers; sha256 is of its manifest",
    labels={"name": None, "version": None, "sha256": None, "cleaning": None},
    exposed_by=(SERVE.name,),
)
SERVE_LATENCY: Final = HistogramSpec(
    name="sentiment_prediction_latency_seconds",
    unit="seconds",
    help="Time from a request's texts to its answers",
    buckets=_STEP_SECONDS,
    exposed_by=(SERVE.name,),
)
SERVE_TEXT_LENGTH: Final = HistogramSpec(
    name="sentiment_text_length",
    unit="characters",
    help="Characters of the texts",
    buckets=(10, 20, 50, 100, 200, 280, 500, 1_000, 5_000, 50_000),
    exposed_by=(SERVE.name,),
)
SERVE_CONFIDENCE: Final = HistogramSpec(
    name="sentiment_confidence",
    unit="shares",
    help="Confidence of the answers",
    buckets=tuple(step / 10 for step in range(1, 11)),
    exposed_by=(SERVE.name,),
)
SERVE_EXPLANATIONS: Final = CounterSpec(
    name="sentiment_explanations_total",
    unit="texts",
    help="Texts whose words were weighed over HTTP",
    labels={"method": ("leave_one_out", "shap", "lime")},
    exposed_by=(SERVE.name,),
)
SERVE_REFUSED: Final = CounterSpec(
    name="murmur_serve_refused_total",
    unit="requests",
    help="Requests that were refused because too many texts waited",
    exposed_by=(SERVE.name,),
)
SERVE_WAITING: Final = GaugeSpec(
    name="murmur_serve_waiting_texts",
    unit="texts",
    help="Texts that wait for the model",
    exposed_by=(SERVE.name,),
)
MODEL_ACCURACY: Final = GaugeSpec(
    name="model_accuracy",
    unit="shares",
    help="Share of labelled texts that a model answered as people did, by its last evaluation",
    labels={"dataset": None, "model": None},
    exposed_by=(SERVE.name,),
)
MODEL_F1: Final = GaugeSpec(
    name="model_f1",
    unit="shares",
    help="F1 of a label, by the last evaluation; label empty: the mean over labels",
    labels={"dataset": None, "model": None, "label": None},
    exposed_by=(SERVE.name,),
)
MODEL_PRECISION: Final = GaugeSpec(
    name="model_precision",
    unit="shares",
    help="Share of the texts given a label that people gave it too, by the last evaluation",
    labels={"dataset": None, "model": None, "label": None},
    exposed_by=(SERVE.name,),
)
MODEL_RECALL: Final = GaugeSpec(
    name="model_recall",
    unit="shares",
    help="Share of a label's texts that were given it, by the last evaluation; label empty: mean",
    labels={"dataset": None, "model": None, "label": None},
    exposed_by=(SERVE.name,),
)
MODEL_CONFUSION: Final = GaugeSpec(
    name="model_confusion_matrix",
    unit="texts",
    help="Texts by the label that people gave and the model's answer, by the last evaluation",
    labels={"dataset": None, "model": None, "label": None, "answer": None},
    exposed_by=(SERVE.name,),
)
SERVE_LISTENERS: Final = GaugeSpec(
    name="murmur_serve_listeners",
    unit="streams",
    help="Streams of server-sent events that are open",
    exposed_by=(SERVE.name,),
)
SERVE_WRONG_KEYS: Final = CounterSpec(
    name="murmur_serve_wrong_keys_total",
    unit="requests",
    help="Requests with a key that is not valid",
    exposed_by=(SERVE.name,),
)
SERVE_RATE_LIMITED: Final = CounterSpec(
    name="murmur_serve_rate_limited_total",
    unit="requests",
    help="Requests that were refused because their caller had sent too many",
    exposed_by=(SERVE.name,),
)
SERVE_CACHED: Final = CounterSpec(
    name="murmur_serve_cached_texts_total",
    unit="texts",
    help="Texts by where their answer was found: in this process, in Redis, or nowhere",
    labels={"found": ("process", "redis", "nowhere")},
    exposed_by=(SERVE.name,),
)

SINK_TWEETS: Final = CounterSpec(
    name="murmur_sink_tweets_total",
    unit="tweets",
    help="Tweets that were stored first, once for all tweets (rule '') and once for each rule;"
    " rules and labels beyond the first 50 are 'other'",
    labels={"kind": None, "rule": None, "label": None},
    exposed_by=(SINK.name,),
)
SINK_CONFIDENCE: Final = HistogramSpec(
    name="murmur_sink_confidence",
    unit="shares",
    help="Confidence of the scores that were stored first",
    labels={"kind": ("live", "replay")},
    buckets=tuple(step / 20 for step in range(1, 21)),
    exposed_by=(SINK.name,),
)
SINK_TEXT_LENGTH: Final = HistogramSpec(
    name="murmur_sink_text_length",
    unit="characters",
    help="Characters of the tweets that were stored first",
    labels={"kind": ("live", "replay")},
    buckets=(10, 20, 40, 60, 80, 100, 140, 200, 280, 500, 1_000, 25_000),
    exposed_by=(SINK.name,),
)
SINK_EVENT_AGE: Final = HistogramSpec(
    name="murmur_sink_event_age_seconds",
    unit="seconds",
    help="From the receipt of a tweet to its commit in PostgreSQL",
    buckets=_AGE_SECONDS,
    exposed_by=(SINK.name,),
)
SINK_REMOVAL_AGE: Final = HistogramSpec(
    name="murmur_sink_removal_age_seconds",
    unit="seconds",
    help="From the receipt of a deletion to its commit in PostgreSQL",
    buckets=_AGE_SECONDS,
    exposed_by=(SINK.name,),
)
SINK_LOG_LOSSES: Final = CounterSpec(
    name="murmur_sink_log_losses_total",
    unit="positions",
    help="Positions whose log in Kafka had lost its end, so that it was read again",
    exposed_by=(SINK.name,),
)
AGGREGATES_REFRESH: Final = HistogramSpec(
    name="murmur_aggregates_refresh_seconds",
    unit="seconds",
    help="Time of one round of refreshes",
    buckets=_REFRESH_SECONDS,
    exposed_by=(SINK.name,),
)
AGGREGATES_LAST_REFRESH: Final = GaugeSpec(
    name="murmur_aggregates_last_refresh_timestamp_seconds",
    unit="seconds since 1970",
    help="When this process last finished a round as the refresher",
    exposed_by=(SINK.name,),
)
AGGREGATES_REFRESH_FAILURES: Final = CounterSpec(
    name="murmur_aggregates_refresh_failures_total",
    unit="rounds",
    help="Rounds that failed, by server",
    labels={"server": ("PostgreSQL", "Redis")},
    exposed_by=(SINK.name,),
)
AGGREGATES_FAILED_RUNS: Final = CounterSpec(
    name="murmur_aggregates_failed_runs_total",
    unit="refreshes",
    help="Refreshes that failed because of what one run holds",
    exposed_by=(SINK.name,),
)

AGGREGATES_LIVE_SHARE: Final = GaugeSpec(
    name="murmur_aggregates_live_share",
    unit="shares",
    help="Shares of labels over the last day of the live stream: as the model counts them, and as"
    " audits say with the ends of their 95 % interval",
    labels={"label": None, "figure": None},
    exposed_by=(SINK.name,),
)

WATCH_WINDOWS: Final = CounterSpec(
    name="murmur_watch_windows_total",
    unit="windows",
    help="Windows that were judged, those of each rule and those of all rules",
    exposed_by=(WATCH.name,),
)
WATCH_RULES_LEFT_OUT: Final = CounterSpec(
    name="murmur_watch_rules_left_out_total",
    unit="matches",
    help="Matches of rules beyond MURMUR_WATCH_RULES, which have no windows of their own",
    exposed_by=(WATCH.name,),
)
WATCH_LOG_LOSSES: Final = CounterSpec(
    name="murmur_watch_log_losses_total",
    unit="positions",
    help="Positions whose log in Kafka had lost its end, so that it was read again",
    exposed_by=(WATCH.name,),
)

WATCH_DEAD_LETTERS: Final = GaugeSpec(
    name="murmur_watch_dead_letters_waiting",
    unit="messages",
    help="Dead letters that were neither redriven nor discarded",
    exposed_by=(WATCH.name,),
)
WATCH_GAPS: Final = GaugeSpec(
    name="murmur_watch_gaps_unfilled",
    unit="gaps",
    help="Ended gaps of the stream that are not refilled and can still be",
    exposed_by=(WATCH.name,),
)
WATCH_OLDEST_GAP: Final = GaugeSpec(
    name="murmur_watch_oldest_gap_seconds",
    unit="seconds",
    help="Age of the oldest of these gaps; 0 without any",
    exposed_by=(WATCH.name,),
)
WATCH_AUDITS: Final = GaugeSpec(
    name="murmur_watch_audits",
    unit="audits",
    help="Audits of live tweets of the last 30 days",
    exposed_by=(WATCH.name,),
)
WATCH_LAST_AUDIT: Final = GaugeSpec(
    name="murmur_watch_last_audit_timestamp_seconds",
    unit="seconds since 1970",
    help="When a live tweet was last audited; 0: never",
    exposed_by=(WATCH.name,),
)
WATCH_MODEL_SINCE: Final = GaugeSpec(
    name="murmur_watch_model_since_timestamp_seconds",
    unit="seconds since 1970",
    help="When the newest model was first seen; 0: there is none",
    exposed_by=(WATCH.name,),
)
WATCH_JOBS: Final = GaugeSpec(
    name="murmur_watch_retrain_jobs",
    unit="jobs",
    help="Retraining jobs by state",
    labels={"state": ("queued", "running", "done", "refused", "failed", "cancelled")},
    exposed_by=(WATCH.name,),
)
WATCH_LAST_JOB_FAILED: Final = GaugeSpec(
    name="murmur_watch_last_retrain_job_failed",
    unit="",
    help="1 where the last retraining job that ended has failed",
    exposed_by=(WATCH.name,),
)
GUARD_ROLLBACKS: Final = CounterSpec(
    name="murmur_guard_rollbacks_total",
    unit="promotions",
    help="Promotions that were taken back because the model did harm",
    exposed_by=(GUARD.name,),
)
SHADOW_FLIPS: Final = CounterSpec(
    name="murmur_shadow_flips_total",
    unit="tweets",
    help="Compared tweets to which the challenger gives another label",
    exposed_by=(SHADOW.name,),
)
SHADOW_MODEL_INFO: Final = GaugeSpec(
    name="murmur_shadow_model_info",
    unit="",
    help="1 for the challenger; sha256 is of its manifest",
    labels={"name": None, "version": None, "sha256": None, "cleaning": None},
    exposed_by=(SHADOW.name,),
)
SHADOW_LOG_LOSSES: Final = CounterSpec(
    name="murmur_shadow_log_losses_total",
    unit="positions",
    help="Positions whose log in Kafka had lost its end, so that it was read again",
    exposed_by=(SHADOW.name,),
)

_ALARM_KINDS = tuple(kind.value for kind in AlarmKind)
WATCH_ALARMS_RAISED: Final = CounterSpec(
    name="murmur_watch_alarms_raised_total",
    unit="alarms",
    help="Alarms that were raised and published, by what they mean and what was watched",
    labels={"kind": _ALARM_KINDS, "signal": tuple(signal.value for signal in Signal)},
    exposed_by=(WATCH.name,),
)
WATCH_ALARMS_OPEN: Final = GaugeSpec(
    name="murmur_watch_alarms_open",
    unit="alarms",
    help="Alarms of the installation that have not ended; rules beyond the first 50 are `other`",
    labels={"kind": _ALARM_KINDS, "rule": None},
    exposed_by=(WATCH.name,),
)

STREAM_CONNECTED: Final = GaugeSpec(
    name="murmur_stream_connected",
    unit="",
    help="1 while X sends",
    exposed_by=(STREAM.name,),
)
STREAM_NEXT_WAIT: Final = GaugeSpec(
    name="murmur_stream_next_wait_seconds",
    unit="seconds",
    help="Wait before the next connect, by X's rules",
    exposed_by=(STREAM.name,),
)
STREAM_LAST_LINE: Final = GaugeSpec(
    name="murmur_stream_last_line_timestamp_seconds",
    unit="seconds since 1970",
    help="When the last line came",
    exposed_by=(STREAM.name,),
)
STREAM_SPILLED: Final = GaugeSpec(
    name="murmur_stream_spilled_bytes",
    unit="bytes",
    help="Lines on disk because Kafka is slow",
    exposed_by=(STREAM.name,),
)
STREAM_MONTH_POSTS: Final = GaugeSpec(
    name="murmur_stream_month_posts",
    unit="posts",
    help="Posts read in this UTC month",
    exposed_by=(STREAM.name,),
)
STREAM_MONTH_POSTS_LIMIT: Final = GaugeSpec(
    name="murmur_stream_month_posts_limit",
    unit="posts",
    help="MURMUR_X_MONTHLY_POSTS",
    exposed_by=(STREAM.name,),
)
STREAM_SPEND_PAUSED: Final = GaugeSpec(
    name="murmur_stream_spend_paused",
    unit="",
    help="1 while the spend guard holds the stream",
    exposed_by=(STREAM.name,),
)
STREAM_RULES: Final = GaugeSpec(
    name="murmur_stream_rules_at_x",
    unit="rules",
    help="Rules that X has for the stream, as it last said; NaN until it did",
    exposed_by=(STREAM.name,),
)
STREAM_CAPTURE_LOSSES: Final = CounterSpec(
    name="murmur_stream_capture_lost_pieces_total",
    unit="pieces",
    help="Pieces of the capture that were not written",
    exposed_by=(STREAM.name,),
)
STREAM_CAPTURE_FAILURES: Final = GaugeSpec(
    name="murmur_stream_capture_failures",
    unit="pieces",
    help="Pieces of the capture that were not written, as a gauge",
    exposed_by=(STREAM.name,),
    replaced_by=STREAM_CAPTURE_LOSSES.name,
)
STREAM_CONNECTS: Final = CounterSpec(
    name="murmur_stream_connects_total",
    unit="attempts",
    help="Attempts at a connection",
    exposed_by=(STREAM.name,),
)
STREAM_ENDINGS: Final = CounterSpec(
    name="murmur_stream_endings_total",
    unit="connections",
    help="Ends of connections",
    labels={"reason": _ENDINGS},
    exposed_by=(STREAM.name,),
)
STREAM_MISSING_FIELDS: Final = CounterSpec(
    name="murmur_stream_missing_fields_total",
    unit="posts",
    help="Posts that came without what was asked for",
    labels={"field": None},
    exposed_by=(STREAM.name,),
)

COMPLIANCE_CONNECTED: Final = GaugeSpec(
    name="murmur_compliance_stream_connected",
    unit="partitions",
    help="Partitions that X sends, of 8",
    exposed_by=(COMPLIANCE_STREAM.name,),
)
COMPLIANCE_ENDINGS: Final = CounterSpec(
    name="murmur_compliance_stream_endings_total",
    unit="connections",
    help="Ends of connections",
    labels={"reason": _ENDINGS},
    exposed_by=(COMPLIANCE_STREAM.name,),
)

_OF_THE_OPERATING_SYSTEM = (
    GaugeSpec(
        name="process_virtual_memory_bytes",
        unit="bytes",
        help="Virtual memory size in bytes.",
        exposed_by=EXPOSING,
    ),
    GaugeSpec(
        name="process_resident_memory_bytes",
        unit="bytes",
        help="Resident memory size in bytes.",
        exposed_by=EXPOSING,
    ),
    GaugeSpec(
        name="process_start_time_seconds",
        unit="seconds since 1970",
        help="Start time of the process since unix epoch in seconds.",
        exposed_by=EXPOSING,
    ),
    CounterSpec(
        name="process_cpu_seconds_total",
        unit="seconds",
        help="Total user and system CPU time spent in seconds.",
        exposed_by=EXPOSING,
    ),
    GaugeSpec(
        name="process_open_fds",
        unit="files",
        help="Number of open file descriptors.",
        exposed_by=EXPOSING,
    ),
    GaugeSpec(
        name="process_max_fds",
        unit="files",
        help="Maximum number of open file descriptors.",
        exposed_by=EXPOSING,
    ),
)
"""What prometheus_client's `ProcessCollector` makes, on Linux."""

METRICS: Final[tuple[MetricSpec, ...]] = (
    BUILD_INFO,
    READY,
    SERVER_AWAY,
    DISK_FREE,
    DISK_SIZE,
    EVENTS_IN,
    EVENTS_OUT,
    PARTITION_LAG,
    *(spec for stage in STAGES.values() for spec in vars(stage).values()),
    SCORE_HELD,
    SCORE_HOLDS,
    SCORE_CACHE_HITS,
    SCORE_ENGINE_CPU,
    SCORE_MODEL_INFO,
    SCORE_MODEL_SWAPS,
    SCORE_PROMOTED_NOT_SERVED,
    SERVE_MODEL_INFO,
    SERVE_PREDICTIONS,
    SERVE_LATENCY,
    SERVE_TEXT_LENGTH,
    SERVE_CONFIDENCE,
    SERVE_EXPLANATIONS,
    SERVE_REFUSED,
    SERVE_WAITING,
    MODEL_ACCURACY,
    MODEL_F1,
    MODEL_PRECISION,
    MODEL_RECALL,
    MODEL_CONFUSION,
    SERVE_LISTENERS,
    SERVE_WRONG_KEYS,
    SERVE_RATE_LIMITED,
    SERVE_CACHED,
    SINK_TWEETS,
    SINK_CONFIDENCE,
    SINK_TEXT_LENGTH,
    SINK_EVENT_AGE,
    SINK_REMOVAL_AGE,
    SINK_LOG_LOSSES,
    AGGREGATES_REFRESH,
    AGGREGATES_LAST_REFRESH,
    AGGREGATES_REFRESH_FAILURES,
    AGGREGATES_FAILED_RUNS,
    AGGREGATES_LIVE_SHARE,
    WATCH_WINDOWS,
    WATCH_RULES_LEFT_OUT,
    WATCH_LOG_LOSSES,
    WATCH_ALARMS_RAISED,
    WATCH_ALARMS_OPEN,
    WATCH_DEAD_LETTERS,
    WATCH_GAPS,
    WATCH_OLDEST_GAP,
    WATCH_AUDITS,
    WATCH_LAST_AUDIT,
    WATCH_MODEL_SINCE,
    WATCH_JOBS,
    WATCH_LAST_JOB_FAILED,
    GUARD_ROLLBACKS,
    SHADOW_FLIPS,
    SHADOW_MODEL_INFO,
    SHADOW_LOG_LOSSES,
    STREAM_CONNECTED,
    STREAM_NEXT_WAIT,
    STREAM_LAST_LINE,
    STREAM_SPILLED,
    STREAM_MONTH_POSTS,
    STREAM_MONTH_POSTS_LIMIT,
    STREAM_SPEND_PAUSED,
    STREAM_RULES,
    STREAM_CAPTURE_LOSSES,
    STREAM_CAPTURE_FAILURES,
    STREAM_CONNECTS,
    STREAM_ENDINGS,
    STREAM_MISSING_FIELDS,
    COMPLIANCE_CONNECTED,
    COMPLIANCE_ENDINGS,
    *_OF_THE_OPERATING_SYSTEM,
)
"""All of them, each once."""


def metrics_of(process: str) -> tuple[MetricSpec, ...]:
    """Return what the /metrics of a process have; `process` is one of `EXPOSING`."""
    return tuple(spec for spec in METRICS if process in spec.exposed_by)


def metric_table() -> str:
    """Return the list as a table in Markdown, ended by a line feed."""
    lines = [
        "| metric | kind | unit | labels | exposed by | meaning |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{spec.name}` | {spec.kind} | {spec.unit} | {_labels(spec)} | "
        f"{_processes(spec)} | {spec.help}{_replacement(spec)} |"
        for spec in METRICS
    ]
    return "\n".join(lines) + "\n"


def _labels(spec: MetricSpec) -> str:
    return "; ".join(
        name if values is None else f"{name}: {', '.join(values) or 'none yet'}"
        for name, values in spec.labels.items()
    )


def _replacement(spec: MetricSpec) -> str:
    return f". Goes with the next release: use {spec.replaced_by}" if spec.replaced_by else ""


def _processes(spec: MetricSpec) -> str:
    return "all" if spec.exposed_by == EXPOSING else ", ".join(spec.exposed_by)


if __name__ == "__main__":
    sys.stdout.write(metric_table())
