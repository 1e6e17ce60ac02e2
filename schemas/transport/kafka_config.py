"""Settings to librdkafka's configuration, the same for every client of ours."""

import logging
from typing import Any

from schemas.settings import Settings

logger = logging.getLogger(__name__)


def kafka_config(settings: Settings, client_id: str) -> dict[str, Any]:
    """Return what every confluent-kafka client needs to reach and trust the cluster."""
    config: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_servers,
        "client.id": client_id,
        "security.protocol": settings.kafka_security_protocol,
        "logger": logging.getLogger("librdkafka"),
        # A broker that is away is no fault of ours: clients retry, and the probes tell it.
        "log.connection.close": False,
    }
    if settings.kafka_security_protocol.startswith("SASL_"):
        config["sasl.mechanism"] = settings.kafka_sasl_mechanism
        config["sasl.username"] = settings.kafka_sasl_username
        config["sasl.password"] = settings.kafka_sasl_password.get_secret_value()
    for key, file in (
        ("ssl.ca.location", settings.kafka_ssl_ca_file),
        ("ssl.certificate.location", settings.kafka_ssl_certificate_file),
        ("ssl.key.location", settings.kafka_ssl_key_file),
    ):
        if file is not None:
            config[key] = str(file)
    return config
