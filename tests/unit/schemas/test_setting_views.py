"""A part gets the settings that it uses: their values, no secret shown, no other one needed."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.setting_views import KafkaConnection, TopicLayout
from schemas.settings import MissingSetting, Settings, load_settings


@pytest.fixture
def named(tmp_path: Path) -> Settings:
    """Settings that name servers, each with a password."""
    return load_settings(None).model_copy(
        update={
            "home": tmp_path,
            "kafka": "a:9092,b:9092",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": "murmur",
            "kafka_sasl_password": SecretStr("hidden-k"),
            "kafka_ssl_ca_file": tmp_path / "ca.pem",
            "kafka_ssl_certificate_file": tmp_path / "certificate.pem",
            "kafka_ssl_key_file": tmp_path / "key.pem",
            "postgres": SecretStr("postgresql://murmur:hidden-p@host/murmur"),
            "redis": SecretStr("redis://:hidden-r@host/0"),
            "topic_prefix": "ours.",
            "topic_partitions": 7,
            "topic_replication": 3,
            "raw_retention_hours": 5,
            "scored_retention_hours": 6,
        }
    )


def test_a_view_has_the_values_of_the_settings(named: Settings, tmp_path: Path) -> None:
    assert named.kafka_connection == KafkaConnection(
        servers="a:9092,b:9092",
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="murmur",
        sasl_password=SecretStr("hidden-k"),
        ssl_ca_file=tmp_path / "ca.pem",
        ssl_certificate_file=tmp_path / "certificate.pem",
        ssl_key_file=tmp_path / "key.pem",
    )
    assert (named.cluster.kafka, named.cluster.names) == (named.kafka_connection, named.names)
    assert named.names.topic("tweets.raw") == "ours.tweets.raw"
    assert named.names.group("murmur-sink") == "ours.murmur-sink"
    assert named.topic_layout == TopicLayout(
        partitions=7, replication=3, raw_retention_hours=5, scored_retention_hours=6
    )
    assert (
        named.postgres_connection.uri.get_secret_value(),
        named.redis_connection.uri.get_secret_value(),
    ) == ("postgresql://murmur:hidden-p@host/murmur", "redis://:hidden-r@host/0")


def test_no_view_shows_a_secret(named: Settings) -> None:
    views = (named.cluster, named.postgres_connection, named.redis_connection)
    assert "hidden" not in f"{views!r} {[str(view) for view in views]}"


@pytest.mark.parametrize("server", ["kafka", "postgres", "redis"])
def test_only_the_view_of_a_server_needs_its_address(named: Settings, server: str) -> None:
    views = {
        "kafka": lambda settings: settings.kafka_connection,
        "postgres": lambda settings: settings.postgres_connection,
        "redis": lambda settings: settings.redis_connection,
    }
    nothing = "" if server == "kafka" else SecretStr("")
    without = named.model_copy(update={server: nothing})
    with pytest.raises(MissingSetting, match=f"no {server} is known"):
        views[server](without)
    for other in views.keys() - {server}:
        assert views[other](without) == views[other](named)


@pytest.mark.parametrize(
    ("value", "codes"),
    [("", ()), (" ", ()), ("en", ("en",)), ("en, pt-BR", ("en", "pt-BR"))],
)
def test_languages_are_listed(
    value: str, codes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MURMUR_LANGUAGES", value)
    assert load_settings(None).counted_languages == codes
