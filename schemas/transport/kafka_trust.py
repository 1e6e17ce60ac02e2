"""Whether Kafka and this machine trust each other, in words that say what to mend.

A client retries for ever where a certificate is wrong or a password is: nothing tells it that this
will not pass. So processes ask once, before they begin.
"""

import socket
import ssl
import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException

from schemas.failures import Failure
from schemas.setting_views import KafkaConnection
from schemas.transport.kafka_config import kafka_config

_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 10.0
_JUDGED_S: Final = 1.0
_REFUSALS: Final = {
    KafkaError._SSL: "see MURMUR_KAFKA_SSL_CA_FILE, _CERTIFICATE_FILE and _KEY_FILE",  # noqa: SLF001  librdkafka's names
    KafkaError._AUTHENTICATION: "see MURMUR_KAFKA_SASL_USERNAME, _PASSWORD and _MECHANISM",  # noqa: SLF001
}


class KafkaRefused(Failure):
    """Kafka and this process do not trust each other; that does not pass by itself."""


def require_trusted_kafka(kafka: KafkaConnection) -> None:
    """Raise `KafkaRefused` where trust is missing; return where there is trust, or nobody answers.

    Asks a secured Kafka alone, within about 15 s.
    """
    refusal = kafka_refusal(kafka)
    if refusal is not None:
        raise KafkaRefused(refusal)


def kafka_refusal(kafka: KafkaConnection) -> str | None:
    """Return why a secured Kafka and this machine do not trust each other; None as above."""
    if kafka.security_protocol == "PLAINTEXT":
        return None
    for file in (kafka.ssl_ca_file, kafka.ssl_certificate_file, kafka.ssl_key_file):
        if file is not None and not file.is_file():
            return f"the file {file} is not there: see the MURMUR_KAFKA_SSL_… settings"
    if "SSL" in kafka.security_protocol.removeprefix("SASL_"):
        refusal = _certificate_refusal(kafka)
        if refusal is not None:
            return refusal
    return _client_refusal(kafka)


def _certificate_refusal(kafka: KafkaConnection) -> str | None:
    """Shake hands with the servers until one answers, as Python does: it names what is wrong."""
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_ca_file)
        if kafka.ssl_certificate_file is not None:
            context.load_cert_chain(kafka.ssl_certificate_file, kafka.ssl_key_file)
    except ssl.SSLError as error:
        return (
            f"a file of the MURMUR_KAFKA_SSL_… settings is no certificate or key ({error.reason})"
        )
    except OSError as error:
        return f"a file of the MURMUR_KAFKA_SSL_… settings cannot be read ({error.strerror})"
    for server in kafka.servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with (
                socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S) as plain,
                context.wrap_socket(plain, server_hostname=host.strip("[]")) as secured,
            ):
                # With TLS 1.3 a server judges the client's certificate after the handshake.
                secured.settimeout(_JUDGED_S)
                secured.recv(1)
        except TimeoutError:
            return None
        except ssl.SSLCertVerificationError as error:
            return (
                f"the certificate of Kafka ({server.strip()}) is not trusted: "
                f"{error.verify_message}; see MURMUR_KAFKA_SSL_CA_FILE, or have it renewed"
            )
        except ssl.SSLError as error:
            if "CERTIFICATE" in str(error.reason):
                return (
                    f"Kafka ({server.strip()}) refuses this client's certificate ({error.reason}); "
                    "see MURMUR_KAFKA_SSL_CERTIFICATE_FILE and MURMUR_KAFKA_SSL_KEY_FILE"
                )
        except (OSError, ValueError):
            # Away, or no TLS: the client's own answer says more.
            continue
    return None


def _client_refusal(kafka: KafkaConnection) -> str | None:
    faults: list[KafkaError] = []
    consumer = Consumer(
        {
            **kafka_config(kafka, "murmur-trust"),
            "group.id": "murmur-trust",
            "error_cb": faults.append,
            "log_level": 0,
        }
    )
    deadline_s = time.monotonic() + _ANSWER_S
    try:
        while time.monotonic() < deadline_s:
            try:
                consumer.list_topics(timeout=1.0)
            except KafkaException:
                # Errors are told by polling.
                consumer.poll(0.1)
            else:
                return None
            for fault in faults:
                if fault.code() in _REFUSALS:
                    return f"Kafka ({kafka.servers}): {fault.str()}; {_REFUSALS[fault.code()]}"
    finally:
        consumer.close()
    return None
