"""How to reach Kafka as librdkafka's configuration, the same for every client of ours."""

import logging
from typing import Any, Final

from schemas.setting_views import KafkaConnection

logger = logging.getLogger(__name__)

METADATA_MAX_AGE_MS: Final = 10_000
"""How old what a client knows of a topic may be: its partitions may become more."""


def kafka_config(kafka: KafkaConnection, client_id: str) -> dict[str, Any]:
    """Return what every confluent-kafka client needs to reach and trust the cluster."""
    config: dict[str, Any] = {
        "bootstrap.servers": kafka.servers,
        "client.id": client_id,
        "security.protocol": kafka.security_protocol,
        "logger": logging.getLogger("librdkafka"),
        # A broker that is away is no fault of ours: clients retry, and the probes tell it.
        "log.connection.close": False,
        # Partitions that a topic has got are read, and written to, this soon.
        "topic.metadata.refresh.interval.ms": METADATA_MAX_AGE_MS,
    }
    if kafka.security_protocol.startswith("SASL_"):
        config["sasl.mechanism"] = kafka.sasl_mechanism
        config["sasl.username"] = kafka.sasl_username
        config["sasl.password"] = kafka.sasl_password.get_secret_value()
    for key, file in (
        ("ssl.ca.location", kafka.ssl_ca_file),
        ("ssl.certificate.location", kafka.ssl_certificate_file),
        ("ssl.key.location", kafka.ssl_key_file),
    ):
        if file is not None:
            config[key] = str(file)
    return config
