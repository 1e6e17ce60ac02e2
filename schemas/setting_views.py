"""What a part takes of the settings: the few that it uses, and none of the others.

`schemas.settings.Settings` makes them. A file that imports only this one cannot read a setting that
nobody handed to it. Secrets are `SecretStr`, so that no `repr` shows them.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class KafkaConnection:
    """How every client reaches the cluster: `servers` is host:port[,host:port].

    The SASL fields count only where `security_protocol` begins with `SASL_`.
    """

    servers: str
    security_protocol: str
    sasl_mechanism: str
    sasl_username: str
    sasl_password: SecretStr
    ssl_ca_file: Path | None
    ssl_certificate_file: Path | None
    ssl_key_file: Path | None


@dataclass(frozen=True)
class Names:
    """What topics and consumer groups are called on the cluster of an installation."""

    prefix: str

    def topic(self, topic: str) -> str:
        """Return a topic's name on the cluster."""
        return f"{self.prefix}{topic}"

    def group(self, group: str) -> str:
        """Return a consumer group's name on the cluster."""
        return f"{self.prefix}{group}"


@dataclass(frozen=True)
class Cluster:
    """An installation in Kafka: how to reach it, and what its topics and groups are called."""

    kafka: KafkaConnection
    names: Names


@dataclass(frozen=True)
class TopicLayout:
    """How new topics are laid out, and for how long what they hold is kept."""

    partitions: int
    replication: int
    raw_retention_hours: int
    scored_retention_hours: int


@dataclass(frozen=True)
class PostgresConnection:
    """Where PostgreSQL is: a URI with its password."""

    uri: SecretStr


@dataclass(frozen=True)
class Installation:
    """What `murmur init` makes, and where: topics so laid out, and tables."""

    cluster: Cluster
    layout: TopicLayout
    postgres: PostgresConnection


@dataclass(frozen=True)
class RedisConnection:
    """Where Redis is: a URI with its password."""

    uri: SecretStr


@dataclass(frozen=True)
class AggregatesCacheSettings:
    """Whose aggregates Redis keeps (`prefix` of the keys), and for how long."""

    prefix: str
    ttl_s: int


@dataclass(frozen=True)
class ProbeAddress:
    """Where a process serves /metrics, /healthz and /readyz; port 0 is a free one.

    /metrics tells how full the disk of `home` is.
    """

    host: str
    port: int
    home: Path = Path()


@dataclass(frozen=True)
class LogSettings:
    """What is logged, and how: `level` is a name of the standard library, `format` json or text."""

    level: str
    format: str


@dataclass(frozen=True)
class ModelChoice:
    """Which bundle scores, and the number of texts whose score it keeps.

    `folder` None: the default one, until another is promoted; a folder is served whatever is
    promoted. `store` is the folder that keeps promoted bundles once they were fetched.
    """

    folder: Path | None
    cache_texts: int
    store: Path


@dataclass(frozen=True)
class RetrainingSettings:
    """When a model is trained anew, and on what. None switches a threshold off.

    `label_files` are learned from beside the run's labels, `standing_files` only judge.
    `train_options` are further options of `murmur model train`; no model is promoted on less than
    `fewest_audits`, or that loses more than `recall_loss` of a label's recall.
    """

    run: str
    on_drift: bool
    on_error: bool
    least_confidence: float | None
    new_tweets: int | None
    oldest_model: timedelta | None
    least_new_labels: int
    cooldown: timedelta
    label_files: tuple[str, ...]
    standing_files: tuple[str, ...]
    quick: bool
    train_options: tuple[str, ...]
    fewest_audits: int
    recall_loss: float


@dataclass(frozen=True)
class RollbackSettings:
    """When a promotion is taken back by itself.

    It is watched for `watched_for`, from `least_tweets` on. `dead_letters` and `share` are moves
    of shares (of 1), `latency_ratio` is of 95th percentiles. A rollback holds for `hold`.
    """

    watched_for: timedelta
    least_tweets: int
    dead_letters: float
    latency_ratio: float
    share: float
    hold: timedelta


@dataclass(frozen=True)
class ShadowSettings:
    """Which bundle is compared with the one that serves.

    It scores `share` of the tweets (of 1), up to `batch` of them together. Its answers are kept
    for `kept_for`.
    """

    challenger: Path
    share: float
    kept_for: timedelta
    cache_texts: int
    batch: int


@dataclass(frozen=True)
class WindowLimits:
    """How many tweets are scored together at most, and for how long they are gathered."""

    most_tweets: int
    gather_s: float


@dataclass(frozen=True)
class HoldLimits:
    """The share of dead letters above which scoring is held, over so many of the last messages."""

    most_ratio: float
    window_messages: int


@dataclass(frozen=True)
class AlarmLimits:
    """What an alarm of the watch needs beside its evidence, and what ends it.

    Effects are the least moves from the reference that anybody would care about: shares and
    confidence as parts of 1, `length` as a part of the length, `pieces` in word pieces a word,
    `volume_ratio` as a factor, `stability` as the population stability index, `new_words` as the
    share of tweets that speak of something new, and `new_hashtag` as that of tweets which have it.
    """

    least_tweets: int = 50
    raise_windows: int = 3
    end_windows: int = 12
    share: float = 0.02
    confidence: float = 0.02
    length: float = 0.05
    pieces: float = 0.05
    unknown_pieces: float = 0.005
    volume_ratio: float = 2.0
    stability: float = 0.02
    new_words: float = 0.15
    new_hashtag: float = 0.05
    audits_per_day: float = 20.0


@dataclass(frozen=True)
class WatchLimits:
    """How the watch counts and judges: `late_windows` after its own a late tweet still counts.

    `rules` of a run have windows of their own, `learn_days` make the first reference, a run in
    which nothing came for `idle_s` closes its windows, and `batch` events are read at once.
    `alarms` is what an alarm needs.
    """

    window_minutes: int
    late_windows: int
    idle_s: float
    rules: int
    learn_days: int
    false_alarms_per_year: float
    batch: int
    alarms: AlarmLimits


@dataclass(frozen=True)
class AlarmWebhook:
    """Where alarms are sent, and the secret by which their receiver knows them. Both are secret."""

    url: SecretStr
    secret: SecretStr
