"""A real broker that lets nobody in without a certificate or a password, nor beyond its ACLs."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from deploy.embedded.java import java_command
from deploy.embedded.kafka_jars import ensure_kafka_jars
from deploy.embedded.ports import is_free_port
from tests.conditions import wait_until
from tests.secured.certificates import Authority

ADMIN: Final = "admin"
PASSWORD: Final = "correct-horse"
USERS: Final = (ADMIN, "score", "sink", "stranger")
_START_S: Final = 120


@dataclass(frozen=True)
class SecuredKafka:
    """The listeners' addresses. Each user of `USERS` has `PASSWORD`; `admin` may do all.

    `expired` shows a certificate that has expired.
    """

    scram: str
    mutual: str
    expired: str
    inside: str

    def allow(self, user: str, *rights: tuple[ResourceType, str, AclOperation]) -> None:
        """Let a user do these operations on these resources."""
        admin = AdminClient({"bootstrap.servers": self.inside})
        bindings = [
            AclBinding(
                kind,
                name,
                ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                operation,
                AclPermissionType.ALLOW,
            )
            for kind, name, operation in rights
        ]
        for future in admin.create_acls(bindings).values():
            future.result(timeout=30)


@contextmanager
def secured_kafka(folder: Path, authority: Authority) -> Iterator[SecuredKafka]:
    """Run a broker in a folder while the block runs."""
    ports = iter(port for port in range(21_000, 32_000, 7) if is_free_port(port))
    names = ("INSIDE", "SCRAM", "MUTUAL", "EXPIRED", "CONTROLLER")
    at = {name: f"127.0.0.1:{next(ports)}" for name in names}
    server = authority.issue("kafka")
    expired = authority.issue("kafka-expired", expired=True)
    listeners = ",".join(f"{name}://{address}" for name, address in at.items())
    advertised = ",".join(f"{n}://{a}" for n, a in at.items() if n != "CONTROLLER")
    plain = " ".join(f'user_{user}="{PASSWORD}"' for user in USERS)
    config = folder / "server.properties"
    config.write_text(f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{at["CONTROLLER"]}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listeners={listeners}
advertised.listeners={advertised}
listener.security.protocol.map=INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,MUTUAL:SSL,EXPIRED:SSL
log.dirs={folder}/data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{ADMIN};User:ANONYMOUS;User:CN=client
ssl.keystore.type=PEM
ssl.keystore.location={server.both}
ssl.truststore.type=PEM
ssl.truststore.location={authority.ca}
listener.name.mutual.ssl.client.auth=required
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location={expired.both}
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.scram.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain};
listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
""")  # noqa: E501  a property is one line
    command = [*java_command(), "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += ["-cp", ensure_kafka_jars()]
    scram = [f"--add-scram=SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in USERS]
    subprocess.run(
        [
            *command,
            "kafka.tools.StorageTool",
            "format",
            "-t",
            "MkU3OEVBNTcwNTJENDM2Qg",
            "-c",
            config,
            *scram,
        ],
        check=True,
        capture_output=True,
        timeout=_START_S,
    )
    kafka = SecuredKafka(at["SCRAM"], at["MUTUAL"], at["EXPIRED"], at["INSIDE"])
    with (folder / "kafka.log").open("wb") as log:
        broker = subprocess.Popen(
            [*command, "kafka.Kafka", config], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: _listens(at["INSIDE"]), timeout_s=_START_S, what="the broker listens")
        yield kafka
    finally:
        broker.terminate()
        broker.wait(timeout=60)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0
