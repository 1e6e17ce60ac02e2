"""Every setting there is, read once from the environment, `.env` and the embedded stack."""

import os
import re
import shlex
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from schemas.failures import Failure
from schemas.process.process_list import EMBEDDED, PROCESSES, SERVE, WANTED, ProcessSpec
from schemas.setting_views import (
    AggregatesCacheSettings,
    AlarmLimits,
    AlarmWebhook,
    Cluster,
    HoldLimits,
    Installation,
    KafkaConnection,
    LogSettings,
    ModelChoice,
    Names,
    PostgresConnection,
    ProbeAddress,
    RedisConnection,
    RetrainingSettings,
    RollbackSettings,
    ShadowSettings,
    TopicLayout,
    WatchLimits,
    WindowLimits,
)
from schemas.trusted_files import require_own_env_file, require_own_home

ENV_PREFIX: Final = "MURMUR_"
"""Of every setting's name in the environment."""

ADDRESSES_FILE = "addresses.json"
"""Written by the embedded stack under `MURMUR_HOME`; holds passwords, so mode 0600."""

RETRAIN_FOLDER = "retrain"
"""Where trainings are written down under `MURMUR_HOME`; it outlives the embedded stack's data."""


_RATE: Final = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


SECRETS_IN_FILES: Final = (
    "kafka_sasl_password",
    "postgres",
    "redis",
    "alarm_webhook_url",
    "alarm_webhook_secret",
)
"""Settings that a file may hold, as Docker, Kubernetes and systemd hand secrets over:
`MURMUR_POSTGRES_FILE` names the file that holds the value of `MURMUR_POSTGRES`."""


def _file_of(what: str) -> Any:
    return Field(None, description=f"File that contains only {what}. The setting itself wins.")


class MissingSetting(Failure):
    """A setting that this command needs has no value; the message names it."""


class Settings(BaseSettings):
    """Settings of every process. Each field is the variable `MURMUR_<FIELD>`.

    An explicit argument wins over the environment, that over `.env`, that over files that hold one
    secret each, and those over the addresses of the embedded stack in `MURMUR_HOME`. Commands read
    them, and hand to each part the few that it uses: the properties that return one of
    `schemas.setting_views`.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True)

    home: Path = Field(
        Path(".murmur"), description="Folder of the embedded stack and of trainings."
    )

    up_with: str = Field(
        SERVE.name,
        description="Further processes that `murmur up` keeps up, separated by commas: "
        f"{', '.join(process.name for process in WANTED)}.",
    )

    kafka: str = Field("", description="Bootstrap servers, host:port[,host:port]. Empty: embedded.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How clients connect to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism; used with the SASL_ protocols."
    )
    kafka_sasl_username: str = Field(
        "", description="SASL user name; used with the SASL_ protocols."
    )
    kafka_sasl_password: SecretStr = Field(
        SecretStr(""), description="SASL password; used with the SASL_ protocols. Secret."
    )
    kafka_sasl_password_file: Path | None = _file_of("the SASL password")
    kafka_ssl_ca_file: Path | None = Field(
        None, description="File of CA certificates. Empty: those of the system."
    )
    kafka_ssl_certificate_file: Path | None = Field(
        None, description="File of the client certificate."
    )
    kafka_ssl_key_file: Path | None = Field(
        None, description="File of the client certificate's key."
    )

    postgres: SecretStr = Field(
        SecretStr(""),
        description="postgresql://user:password@host/database[?sslmode=…]. Secret. "
        "Empty: embedded.",
    )
    postgres_file: Path | None = _file_of("that address")
    redis: SecretStr = Field(
        SecretStr(""), description="redis://…, rediss://… or unix://…. Secret. Empty: embedded."
    )
    redis_file: Path | None = _file_of("that address")

    topic_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="Prefix of topic names, consumer groups and Redis keys: letters, digits, '.', "
        "'_' and '-'. With different prefixes, installations can share a cluster.",
    )
    topic_partitions: int = Field(4, ge=1, le=1000, description="Partitions of a new topic.")
    topic_replication: int = Field(1, ge=1, le=9, description="Replicas of a new topic.")
    raw_retention_hours: int = Field(168, ge=1, description="Hours for which tweets.raw is kept.")
    scored_retention_hours: int = Field(
        168, ge=1, description="Hours for which tweets.scored and alarms are kept."
    )

    model: Path | None = Field(
        None,
        description="Folder of a model bundle that is served whatever is promoted, or the name of "
        "one that Murmur ships: default or fast. Empty: the model that was promoted last, and the "
        "default bundle before any was.",
    )
    overrides: Path | None = Field(
        None,
        description="File of words that mean something else to your team than to the model; "
        "scoring and the service take in a changed one within seconds. Empty: there are none.",
    )
    bundles: str = Field(
        "",
        description="Folder or object store (s3://, gs://, az://) that promoted bundles are put "
        "into and fetched from. Empty: `bundles` in MURMUR_HOME.",
    )
    score_cache_size: int = Field(
        50_000, ge=0, description="Number of texts whose score is cached in memory."
    )
    score_window: int = Field(
        256, ge=1, le=4096, description="Largest number of tweets that are scored together."
    )
    score_window_s: float = Field(
        0.05,
        gt=0,
        le=10,
        description="Seconds for which tweets are gathered before they are scored.",
    )

    hold_ratio: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of dead letters above which scoring is held. 1: never.",
    )
    hold_window: int = Field(
        1000,
        ge=100,
        description="Number of latest messages over which MURMUR_HOLD_RATIO is computed.",
    )

    sink_batch: int = Field(
        500, ge=1, le=5000, description="Largest number of events in one transaction."
    )
    refresh_interval_s: float = Field(1.0, gt=0, description="Seconds between refreshes of Redis.")
    cache_ttl_s: int = Field(
        600, ge=10, description="Seconds after which an aggregate in Redis expires."
    )

    watch_window_minutes: int = Field(
        60,
        ge=1,
        le=1440,
        description="Minutes that `murmur watch` counts together; a day is a multiple of it.",
    )
    watch_late_windows: int = Field(
        1,
        ge=0,
        le=1440,
        description="Windows after its own for which a late tweet is still judged.",
    )
    watch_idle_s: float = Field(
        30,
        gt=0,
        description="Seconds without a tweet of a run after which its windows are closed without "
        "waiting for every partition.",
    )
    watch_rules: int = Field(
        1000,
        ge=0,
        description="Number of rules of a run that are watched by themselves.",
    )
    watch_learn_days: int = Field(
        7, ge=1, le=366, description="Days of a stream that become its first reference."
    )
    watch_batch: int = Field(
        5000, ge=1, le=50_000, description="Largest number of events that the watch reads at once."
    )

    languages: str = Field(
        "",
        description="Languages whose tweets `murmur totals` counts where `--language` is not "
        "given: codes such as en or pt, separated by commas. Empty: all. Nothing is dropped: "
        "tweets in other languages are scored and stored.",
    )

    x_bearer_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token of an app at X. Secret. Or use MURMUR_X_BEARER_TOKEN_FILE.",
    )
    x_bearer_token_file: Path | None = Field(
        None, description="File that contains only the bearer token."
    )
    x_api: str = Field(
        "https://api.x.com", description="Address of X's API: https, or http on the loopback."
    )
    x_backfill_minutes: int = Field(
        0,
        ge=0,
        le=5,
        description="Minutes of missed posts to request at each reconnect. Not every account may "
        "use it.",
    )
    x_monthly_posts: int = Field(
        2_000_000, ge=0, description="Posts read in a UTC month at which the stream pauses."
    )
    x_silence_s: float = Field(
        45, gt=20, description="Seconds without any data after which the stream reconnects."
    )
    x_quiet_s: float = Field(
        0,
        ge=0,
        description="Seconds with heartbeats but without a post after which the stream reconnects. "
        "0: never.",
    )
    x_buffer_lines: int = Field(
        20_000,
        ge=100,
        description="Number of lines that wait in memory for Kafka; further lines go to disk.",
    )
    x_spill: Path | None = Field(
        None, description="Folder for lines that do not fit into memory. Empty: under MURMUR_HOME."
    )
    x_spill_mib: int = Field(
        1024, ge=1, description="MiB in that folder at which the stream pauses."
    )

    alarm_webhook_url: SecretStr = Field(
        SecretStr(""),
        description="Address to which `murmur watch` sends alarms: https://… or http://…. Secret. "
        "Empty: none.",
    )
    alarm_webhook_url_file: Path | None = _file_of("that address")
    alarm_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret that signs those messages (Standard Webhooks): whsec_ and Base64 of "
        "24 to 64 random bytes. Secret.",
    )
    alarm_webhook_secret_file: Path | None = _file_of("that secret")
    retrain_run: str = Field(
        "live", description="Run whose labels, alarms and tweets decide about a new training."
    )
    retrain_on_drift: bool = Field(
        True, description="Whether an alarm of drift speaks for a new training."
    )
    retrain_on_error: bool = Field(
        True, description="Whether an alarm of the audited error speaks for a new training."
    )
    retrain_min_confidence: float = Field(
        0,
        ge=0,
        le=1,
        description="Mean confidence of the last day below which a new training is due. 0: never.",
    )
    retrain_new_tweets: int = Field(
        0,
        ge=0,
        description="Number of tweets since the last training from which a new one is due. "
        "0: never.",
    )
    retrain_max_age_hours: float = Field(
        0,
        ge=0,
        description="Hours since the last promotion after which a new training is due. 0: never.",
    )
    retrain_min_labels: int = Field(
        500, ge=1, description="Number of new labels without which no training begins."
    )
    retrain_cooldown_hours: float = Field(
        24, ge=0, description="Hours between the beginnings of two trainings."
    )
    retrain_labels: str = Field(
        "",
        description="Label files or folders that are learned from too, separated by commas.",
    )
    retrain_test: str = Field(
        "",
        description="Label files or folders of the standing test set, separated by commas.",
    )
    retrain_options: str = Field(
        "",
        description="Further options of `murmur model train` for trainings that fire, as on a "
        "command line: --epochs 3 --lora 16.",
    )
    retrain_audits: int = Field(
        500, ge=1, description="Number of frozen audits without which no model is promoted."
    )
    retrain_recall_loss: float = Field(
        0.05,
        ge=0,
        le=1,
        description="How much recall of a label may fall, beyond chance, in a model that is "
        "promoted: .05 is five points.",
    )
    rollback_watch_hours: float = Field(
        24, gt=0, description="Hours after a promotion in which `murmur models guard` may undo it."
    )
    rollback_least_tweets: int = Field(
        500, ge=50, description="Tweets of a promoted model, and of the one before, that it needs."
    )
    rollback_dead_letters: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="How much the share of tweets that become dead letters may rise, of 1.",
    )
    rollback_latency_ratio: float = Field(
        3.0,
        gt=1,
        description="Factor by which the 95th percentile from receipt to score may rise.",
    )
    rollback_share: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="How much a label's share may move beyond what the shadow let expect, of 1.",
    )
    rollback_hold_hours: float = Field(
        24,
        ge=0,
        description="Hours after a rollback by itself in which none follows, and no training "
        "promotes.",
    )
    shadow_model: Path | None = Field(
        None, description="Folder of the bundle that `murmur shadow` compares with the champion."
    )
    shadow_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Share of the tweets that the challenger scores too, of 1. Retweets are left "
        "out.",
    )
    shadow_days: int = Field(
        14, ge=1, le=3_650, description="Days for which the challenger's answers are kept."
    )
    retrain_quick: bool = Field(
        False, description="Whether trainings that fire are quick ones, of some minutes."
    )

    watch_false_alarms_per_year: float = Field(
        1.0,
        gt=0,
        le=100,
        description="False alarms a year that are accepted of a run, divided among all its "
        "signals. Holds while the reference is right.",
    )
    watch_least_tweets: int = Field(
        50, ge=10, description="Tweets that a window needs to be judged for more than its volume."
    )
    watch_raise_windows: int = Field(
        3, ge=1, le=24, description="Windows in a row for which a signal is off before its alarm."
    )
    watch_end_windows: int = Field(
        12,
        ge=3,
        le=168,
        description="Windows over which a signal is back within half its effect before its alarm "
        "ends. Not fewer than MURMUR_WATCH_RAISE_WINDOWS count.",
    )
    watch_share_effect: float = Field(
        0.02, gt=0, lt=1, description="Least move of a label's share that raises an alarm, of 1."
    )
    watch_confidence_effect: float = Field(
        0.02, gt=0, lt=1, description="Least move of the model's confidence that does, of 1."
    )
    watch_length_effect: float = Field(
        0.05, gt=0, lt=1, description="Least move of the mean length of texts, as a part of it."
    )
    watch_pieces_effect: float = Field(
        0.05, gt=0, description="Least move of the mean number of word pieces a word."
    )
    watch_unknown_pieces_effect: float = Field(
        0.005, gt=0, lt=1, description="Least move of the share of unknown word pieces, of 1."
    )
    watch_volume_ratio: float = Field(
        2.0, gt=1, description="Least factor by which the number of tweets rises or falls."
    )
    watch_stability_effect: float = Field(
        0.02, gt=0, description="Least population stability index, of labels and of languages."
    )
    watch_new_words_effect: float = Field(
        0.15, gt=0, lt=1, description="Least share of tweets that speak of something new, of 1."
    )
    watch_new_hashtag_effect: float = Field(
        0.05, gt=0, lt=1, description="Least share of tweets that have a new hashtag, of 1."
    )
    watch_audits_per_day: float = Field(
        20.0,
        gt=0,
        description="Audits that come a day at most: the error alarm's years are counted in them.",
    )
    serve_rate: str = Field(
        "6000/minute",
        description="Requests that each key, or each address without one, may send to `murmur "
        "serve`: such as 100/second or 6000/minute. Empty: no limit.",
    )
    serve_threads: int = Field(
        1,
        ge=1,
        le=64,
        description="Threads of `murmur serve` that score. Each uses a core while texts wait.",
    )
    serve_cache_s: int = Field(
        3600,
        ge=0,
        description="Seconds for which `murmur serve` keeps answers in Redis. 0: it keeps none.",
    )
    serve_log_days: int = Field(
        0,
        ge=0,
        le=3650,
        description="Days for which `murmur serve` keeps the texts that it was asked about, with "
        "its answers. 0: it keeps none, and deletes those that it kept.",
    )

    probe_host: str = Field(
        "127.0.0.1", description="Network interface of /metrics, /healthz and /readyz."
    )
    stall_after_s: float = Field(
        60,
        gt=0,
        description="Seconds with lag and without progress after which a process is unhealthy and "
        "ends.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="Lowest level that is logged. Where neither this nor the format is set, "
        "commands that end by themselves log warnings, as text.",
    )
    log_format: Literal["json", "text"] = Field("json", description="Format of log lines.")

    @field_validator("watch_window_minutes")
    @classmethod
    def _divides_a_day(cls, value: int) -> int:
        if 1440 % value:
            raise ValueError("must divide a day of 1440 minutes")
        return value

    @field_validator("up_with")
    @classmethod
    def _are_processes(cls, value: str) -> str:
        names = [process.name for process in WANTED]
        if value.strip() and not set(_listed(value)) <= set(names):
            raise ValueError(f"must be some of {', '.join(names)}, separated by commas")
        return value

    @field_validator("redis")
    @classmethod
    def _is_redis(cls, value: SecretStr) -> SecretStr:
        schemes = ("redis://", "rediss://", "unix://")
        if value and not value.get_secret_value().startswith(schemes):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("languages")
    @classmethod
    def _are_languages(cls, value: str) -> str:
        if value.strip() and not all(map(_LANGUAGE.fullmatch, _listed(value))):
            raise ValueError("must be codes such as en or pt-BR, separated by commas")
        return value

    @field_validator("serve_rate")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        if value.strip() and not _RATE.fullmatch(value.strip()):
            raise ValueError("must be a number, '/' and second, minute, hour or day")
        return value.strip()

    @field_validator("postgres")
    @classmethod
    def _is_postgres(cls, value: SecretStr) -> SecretStr:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql:// or postgres://")
        return value

    @field_validator("alarm_webhook_url")
    @classmethod
    def _is_http(cls, value: SecretStr) -> SecretStr:
        if not value:
            return value
        try:
            address = urlsplit(value.get_secret_value())
            sound = address.scheme in ("https", "http") and bool(address.hostname)
        except ValueError:
            sound = False
        if not sound:
            raise ValueError("must be an address that begins with https:// or http://")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the embedded stack's addresses behind everything that a person said.

        Neither a home nor a `.env` is read that others may have written.
        """
        file = getattr(dotenv_settings, "env_file", None)
        if file is not None:
            require_own_env_file(Path(file))
        written, named = dotenv_settings(), {**env_settings(), **init_settings()}
        _require_token_beside(written, named)
        named = {**written, **named}
        secret_files = InitSettingsSource(settings_cls, _secrets_in_files(named))
        home = Path(named.get("home", cls.model_fields["home"].default))
        try:
            require_own_home(home)
            addresses = JsonConfigSettingsSource(settings_cls, json_file=home / ADDRESSES_FILE)
        except OSError as error:
            raise Failure(f"MURMUR_HOME {home} cannot be read: {error.strerror}") from error
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            secret_files,
            file_secret_settings,
            addresses,
        )

    @property
    def kept_up(self) -> tuple[ProcessSpec, ...]:
        """The processes that `murmur up` keeps up, in the order of the list."""
        wanted = set(_listed(self.up_with)) if self.up_with.strip() else set()
        return tuple(each for each in PROCESSES if each in EMBEDDED or each.name in wanted)

    @property
    def retrain_folder(self) -> Path:
        """Where trainings are written down, and what they fetched."""
        return self.home / RETRAIN_FOLDER

    @property
    def job_folders(self) -> Path:
        """Where each training job has a folder, by its number."""
        return self.retrain_folder / "jobs"

    @property
    def kafka_servers(self) -> str:
        """Bootstrap servers; `MissingSetting` where none are known."""
        return self._needed("kafka", self.kafka)

    @property
    def postgres_uri(self) -> str:
        """Connection URI with its password; `MissingSetting` where none is known."""
        return self._needed("postgres", self.postgres.get_secret_value())

    @property
    def redis_uri(self) -> str:
        """Connection URI with its password; `MissingSetting` where none is known."""
        return self._needed("redis", self.redis.get_secret_value())

    @property
    def x_token(self) -> SecretStr:
        """The token for X, from the environment or its file; `MissingSetting` without one.

        Space around it is dropped. What no header can hold is refused here: those who send it
        would repeat it in their errors.
        """
        if self.x_bearer_token.get_secret_value():
            return _token(self.x_bearer_token.get_secret_value(), "MURMUR_X_BEARER_TOKEN")
        file = self.x_bearer_token_file
        if file is None:
            raise MissingSetting(
                "no token for X is known: set MURMUR_X_BEARER_TOKEN, or name a file that holds it "
                "in MURMUR_X_BEARER_TOKEN_FILE"
            )
        try:
            content = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise MissingSetting(
                f"MURMUR_X_BEARER_TOKEN_FILE: {file} cannot be read ({type(error).__name__})"
            ) from None
        return _token(content, f"MURMUR_X_BEARER_TOKEN_FILE: {file}")

    @property
    def spill_folder(self) -> Path:
        """Where the live stream keeps what does not fit into memory."""
        return self.x_spill if self.x_spill is not None else self.home / "stream-spill"

    @property
    def kafka_connection(self) -> KafkaConnection:
        """How to reach Kafka; `MissingSetting` where no server is known."""
        return KafkaConnection(
            servers=self.kafka_servers,
            security_protocol=self.kafka_security_protocol,
            sasl_mechanism=self.kafka_sasl_mechanism,
            sasl_username=self.kafka_sasl_username,
            sasl_password=self.kafka_sasl_password,
            ssl_ca_file=self.kafka_ssl_ca_file,
            ssl_certificate_file=self.kafka_ssl_certificate_file,
            ssl_key_file=self.kafka_ssl_key_file,
        )

    @property
    def names(self) -> Names:
        """What topics and groups are called."""
        return Names(self.topic_prefix)

    @property
    def cluster(self) -> Cluster:
        """How to reach Kafka, and the names there; `MissingSetting` where no server is known."""
        return Cluster(self.kafka_connection, self.names)

    @property
    def topic_layout(self) -> TopicLayout:
        """How topics are made."""
        return TopicLayout(
            partitions=self.topic_partitions,
            replication=self.topic_replication,
            raw_retention_hours=self.raw_retention_hours,
            scored_retention_hours=self.scored_retention_hours,
        )

    @property
    def postgres_connection(self) -> PostgresConnection:
        """How to reach PostgreSQL; `MissingSetting` where no server is known."""
        return PostgresConnection(SecretStr(self.postgres_uri))

    @property
    def installation(self) -> Installation:
        """What `murmur init` makes; `MissingSetting` where Kafka or PostgreSQL is not known."""
        return Installation(self.cluster, self.topic_layout, self.postgres_connection)

    @property
    def redis_connection(self) -> RedisConnection:
        """How to reach Redis; `MissingSetting` where no server is known."""
        return RedisConnection(SecretStr(self.redis_uri))

    @property
    def aggregates_cache(self) -> AggregatesCacheSettings:
        """Whose aggregates Redis keeps, and for how long."""
        return AggregatesCacheSettings(self.topic_prefix, self.cache_ttl_s)

    @property
    def counted_languages(self) -> tuple[str, ...]:
        """Which languages figures are about where nobody says it; none: all."""
        return tuple(_listed(self.languages)) if self.languages.strip() else ()

    @property
    def log(self) -> LogSettings:
        """What is logged, and how."""
        return LogSettings(self.log_level, self.log_format)

    @property
    def command_log(self) -> LogSettings:
        """How a command for people logs: warnings as text, unless they have set something else."""
        chosen = self.model_fields_set
        return LogSettings(
            self.log_level if "log_level" in chosen else "WARNING",
            self.log_format if "log_format" in chosen else "text",
        )

    @property
    def model_choice(self) -> ModelChoice:
        """Which bundle scores."""
        return ModelChoice(self.model, self.score_cache_size, self.home / "model-store")

    @property
    def bundle_shelf(self) -> str:
        """Where promoted bundles are put: an absolute path, or a URL."""
        return self.bundles or str((self.home / "bundles").absolute())

    @property
    def retraining(self) -> RetrainingSettings:
        """When a model is trained anew, and on what."""
        hours = self.retrain_max_age_hours
        return RetrainingSettings(
            run=self.retrain_run,
            on_drift=self.retrain_on_drift,
            on_error=self.retrain_on_error,
            least_confidence=self.retrain_min_confidence or None,
            new_tweets=self.retrain_new_tweets or None,
            oldest_model=timedelta(hours=hours) if hours else None,
            least_new_labels=self.retrain_min_labels,
            cooldown=timedelta(hours=self.retrain_cooldown_hours),
            label_files=_paths(self.retrain_labels),
            standing_files=_paths(self.retrain_test),
            quick=self.retrain_quick,
            train_options=tuple(shlex.split(self.retrain_options)),
            fewest_audits=self.retrain_audits,
            recall_loss=self.retrain_recall_loss,
        )

    @property
    def rollback(self) -> RollbackSettings:
        """When a promotion is taken back by itself."""
        return RollbackSettings(
            watched_for=timedelta(hours=self.rollback_watch_hours),
            least_tweets=self.rollback_least_tweets,
            dead_letters=self.rollback_dead_letters,
            latency_ratio=self.rollback_latency_ratio,
            share=self.rollback_share,
            hold=timedelta(hours=self.rollback_hold_hours),
        )

    @property
    def shadow(self) -> ShadowSettings:
        """Which challenger is compared, on how many tweets; `MissingSetting` without one."""
        # A variable that is set and empty names the current folder.
        if self.shadow_model is None or self.shadow_model == Path():
            raise MissingSetting(
                "no challenger is known: set MURMUR_SHADOW_MODEL to the folder of a bundle"
            )
        return ShadowSettings(
            challenger=self.shadow_model,
            share=self.shadow_share,
            kept_for=timedelta(days=self.shadow_days),
            cache_texts=self.score_cache_size,
            batch=self.score_window,
        )

    @property
    def window_limits(self) -> WindowLimits:
        """How many tweets are scored together."""
        return WindowLimits(self.score_window, self.score_window_s)

    @property
    def hold_limits(self) -> HoldLimits:
        """When scoring is held."""
        return HoldLimits(self.hold_ratio, self.hold_window)

    @property
    def watch_limits(self) -> WatchLimits:
        """How the watch counts and judges."""
        return WatchLimits(
            window_minutes=self.watch_window_minutes,
            late_windows=self.watch_late_windows,
            idle_s=self.watch_idle_s,
            rules=self.watch_rules,
            learn_days=self.watch_learn_days,
            false_alarms_per_year=self.watch_false_alarms_per_year,
            batch=self.watch_batch,
            alarms=self.alarm_limits,
        )

    @property
    def alarm_limits(self) -> AlarmLimits:
        """What an alarm of the watch needs beside its evidence."""
        return AlarmLimits(
            least_tweets=self.watch_least_tweets,
            raise_windows=self.watch_raise_windows,
            end_windows=max(self.watch_raise_windows, self.watch_end_windows),
            share=self.watch_share_effect,
            confidence=self.watch_confidence_effect,
            length=self.watch_length_effect,
            pieces=self.watch_pieces_effect,
            unknown_pieces=self.watch_unknown_pieces_effect,
            volume_ratio=self.watch_volume_ratio,
            stability=self.watch_stability_effect,
            new_words=self.watch_new_words_effect,
            new_hashtag=self.watch_new_hashtag_effect,
            audits_per_day=self.watch_audits_per_day,
        )

    @property
    def alarm_webhook(self) -> AlarmWebhook | None:
        """Where alarms are sent; None without an address, `MissingSetting` without a secret."""
        if not self.alarm_webhook_url.get_secret_value():
            return None
        if not self.alarm_webhook_secret.get_secret_value():
            raise MissingSetting(
                "MURMUR_ALARM_WEBHOOK_URL needs MURMUR_ALARM_WEBHOOK_SECRET: alarms are sent signed"
            )
        return AlarmWebhook(self.alarm_webhook_url, self.alarm_webhook_secret)

    def probe_address(self, port: int) -> ProbeAddress:
        """Return where a process serves its probes on this port."""
        return ProbeAddress(self.probe_host, port, self.home)

    def _needed(self, field: str, value: str) -> str:
        if not value:
            raise MissingSetting(
                f"no {field} is known: MURMUR_{field.upper()} is not set, and no stack runs in "
                f"{self.home.absolute()} (`murmur up` starts one there; MURMUR_HOME names another "
                "folder)"
            )
        return value


def _secrets_in_files(named: Mapping[str, Any]) -> dict[str, str]:
    """Return what the files hold that `MURMUR_…_FILE` names, less the white space around it.

    Raises `Failure` for a file that cannot be read or is empty, unless its setting has a value.
    """
    secrets = {}
    for field in SECRETS_IN_FILES:
        file = named.get(f"{field}_file")
        if not file or named.get(field):
            continue
        variable = f"MURMUR_{field.upper()}_FILE"
        try:
            secrets[field] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(f"{variable}: {file} cannot be read ({type(error).__name__})") from None
        if not secrets[field]:
            raise Failure(f"{variable}: {file} is empty")
    return secrets


def _require_token_beside(written: Mapping[str, Any], named: Mapping[str, Any]) -> None:
    """Raise `Failure` where a `.env` would send a token that does not stand in it to a host.

    A `.env` comes along with a folder, from whoever made that, and the token does not.
    """
    if "x_api" not in written or "x_api" in named:
        return
    in_both = {**written, **named}
    token = in_both.get("x_bearer_token")
    elsewhere = "x_bearer_token" in named if token else bool(in_both.get("x_bearer_token_file"))
    if elsewhere:
        raise Failure(
            "MURMUR_X_API stands in .env and the token does not, so that it would be sent wherever "
            "the file says: put both into .env, or MURMUR_X_API into the environment"
        )


def _listed(value: str) -> list[str]:
    return [code.strip() for code in value.split(",")]


def _paths(listed: str) -> tuple[str, ...]:
    return tuple(str(Path(path.strip()).absolute()) for path in listed.split(",") if path.strip())


def _token(content: str, where: str) -> SecretStr:
    token = content.strip()
    if not token:
        raise MissingSetting(f"{where} is empty")
    if not all("!" <= character <= "~" for character in token):
        raise MissingSetting(
            f"{where} must hold only the token: one line of visible ASCII characters"
        )
    return SecretStr(token)


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings.

    A value out of range raises pydantic's `ValidationError`. A home that cannot be read raises
    `Failure`, and so does a home or a `.env` that others may have written.
    """
    return Settings(_env_file=env_file)  # type: ignore[call-arg]


def servers_of_the_user(env_file: Path | None = Path(".env")) -> frozenset[str]:
    """Return which of kafka, postgres and redis a person has named as servers of their own."""
    own = Settings(_env_file=env_file, home=Path(os.devnull))  # type: ignore[call-arg]
    return frozenset(
        name
        for name in ("kafka", "postgres", "redis")
        if getattr(own, name) not in ("", SecretStr(""))
    )
