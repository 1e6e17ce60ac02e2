"""Kafka's own command line tools, pointed at the installation's cluster."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from deploy.embedded.java import java_command
from deploy.embedded.kafka_jars import ensure_kafka_jars
from deploy.embedded.kafka_tool_names import TOOLS
from schemas.setting_views import KafkaConnection


def run_tool(kafka: KafkaConnection, tool: str, arguments: Sequence[str]) -> int:
    """Run a tool on this terminal and return its exit status.

    The cluster's address and, where it wants them, credentials are added; these by a file with
    mode 0600 that is gone afterwards.
    """
    command = [*java_command(), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
    with (
        as_file(files("deploy.embedded").joinpath("log4j2.xml")) as log_config,
        _properties_file(client_properties(kafka)) as properties,
    ):
        command += [f"-Dlog4j2.configurationFile={log_config}", "-Dmurmur.log.target=SYSTEM_ERR"]
        command += ["-cp", ensure_kafka_jars(), TOOLS[tool]]
        command += [*tool_arguments(kafka.servers, properties, arguments)]
        process = subprocess.Popen(command)
        while True:
            # Ctrl-C reaches the tool too, which ends by itself and commits what it has shown.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


def tool_arguments(servers: str, properties: Path | None, given: Sequence[str]) -> list[str]:
    """Return a tool's arguments: what a person gave, and the cluster where they named none."""
    arguments = list(given)
    if "--bootstrap-server" not in given:
        arguments += ["--bootstrap-server", servers]
        if properties is not None and "--command-config" not in given:
            arguments += ["--command-config", str(properties)]
    return arguments


def client_properties(kafka: KafkaConnection) -> str:
    """Return a Java client's security settings as a properties file; empty where none is needed."""
    if kafka.security_protocol == "PLAINTEXT":
        return ""
    properties: dict[str, str] = {"security.protocol": kafka.security_protocol}
    if kafka.security_protocol.startswith("SASL_"):
        plain = kafka.sasl_mechanism == "PLAIN"
        module = "plain.PlainLoginModule" if plain else "scram.ScramLoginModule"
        user = _quoted(kafka.sasl_username)
        password = _quoted(kafka.sasl_password.get_secret_value())
        properties["sasl.mechanism"] = kafka.sasl_mechanism
        properties["sasl.jaas.config"] = (
            f"org.apache.kafka.common.security.{module} required "
            f"username={user} password={password};"
        )
    if kafka.ssl_ca_file is not None:
        properties["ssl.truststore.type"] = "PEM"
        properties["ssl.truststore.certificates"] = kafka.ssl_ca_file.read_text()
    if kafka.ssl_certificate_file is not None and kafka.ssl_key_file is not None:
        properties["ssl.keystore.type"] = "PEM"
        properties["ssl.keystore.certificate.chain"] = kafka.ssl_certificate_file.read_text()
        properties["ssl.keystore.key"] = kafka.ssl_key_file.read_text()
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _quoted(value: str) -> str:
    """Return a value as JAAS reads it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(value: str) -> str:
    """Return a value as `java.util.Properties` reads it: one line of ASCII."""
    text = value.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n")
    encoded = text.encode("utf-16-be")
    units = [int.from_bytes(encoded[i : i + 2], "big") for i in range(0, len(encoded), 2)]
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in units)


@contextlib.contextmanager
def _properties_file(text: str) -> Iterator[Path | None]:
    if not text:
        yield None
        return
    descriptor, name = tempfile.mkstemp(prefix="murmur-", suffix=".properties")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        yield Path(name)
    finally:
        Path(name).unlink()
