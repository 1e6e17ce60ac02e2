"""Kafka: one broker that is its own controller (KRaft). Configuration and command line."""

import subprocess
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.stack_state import StackState
from deploy.embedded.supervised_program import Program
from schemas.failures import Failure
from schemas.private_files import make_private_folder, write_private

_MEMORY = ("-Xmx512m", "-XX:+UseSerialGC")
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""Kafka listens after 2.1 s instead of 3.2 s on two cores: the optimising compiler costs more than
it gains at what one machine's stack moves."""


def prepare_kafka(
    layout: Layout, state: StackState, java: Sequence[str], classpath: str
) -> Program:
    """Write the configuration, format the storage where it is new, and return the program."""
    make_private_folder(layout.kafka)
    config = layout.kafka / "server.properties"
    write_private(config, broker_config(state.ports["kafka"], state.ports["kafka-controller"]))
    log_config = layout.kafka / "log4j2.xml"
    write_private(log_config, files("deploy.embedded").joinpath("log4j2.xml").read_text())
    if not (layout.kafka / "data" / "meta.properties").exists():
        _format_storage(layout.kafka, config, state.kafka_cluster_id, java, classpath)
    return Program(
        name="kafka",
        command=(
            *java,
            *_MEMORY,
            *_QUICK,
            f"-Dlog4j2.configurationFile={log_config}",
            "-cp",
            classpath,
            "kafka.Kafka",
            str(config),
        ),
        directory=layout.kafka,
        stop_wait_s=30,
    )


def broker_config(port: int, controller_port: int) -> str:
    """Return server.properties; paths are relative to the folder that the broker runs in."""
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{LOOPBACK}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}
advertised.listeners=PLAINTEXT://{LOOPBACK}:{port}
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# A broker that was killed may return only when its session has run out (9 s by default).
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# One broker gains nothing from the 50 partitions that these topics have by default.
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1
"""


def _format_storage(
    folder: Path, config: Path, cluster_id: str, java: Sequence[str], classpath: str
) -> None:
    answer = subprocess.run(
        [
            *java,
            *_QUICK,
            "-cp",
            classpath,
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            cluster_id,
            "-c",
            str(config),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if answer.returncode != 0:
        reason = (answer.stderr or answer.stdout).strip().splitlines()[-1:]
        raise Failure(f"Kafka's storage in {folder} could not be made: {' '.join(reason)}")
