"""Images that stand in for other people's where no registry gives them, of Debian's packages.

Each listens, reads its secrets and answers its health check as the image of that name does, as far
as docker-compose.yml uses it. Kafka is the one of the embedded stack: its jars, and Debian's Java.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from deploy.embedded.kafka_jars import ensure_kafka_jars
from tests.containers.tool import has_image, make_debian_image, pull, run_tool

_KAFKA_RUN: Final = """\
#!/bin/sh
# KAFKA_NODE_ID becomes node.id, as the image of Apache does it.
set -eu
env | sed -n 's/^KAFKA_\\([A-Z0-9_]*\\)=/\\1=/p' | grep -v '^HEAP_OPTS=' \\
  | awk -F= '{ key=tolower($1); gsub("_", ".", key); sub(/^[^=]*=/, ""); print key "=" $0 }' \\
  > /tmp/server.properties
cd /var/lib/kafka/data
if ! test -e meta.properties; then
  java -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted \\
    -t MkU3OEVBNTcwNTJENDM2Qg -c /tmp/server.properties
fi
exec java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -cp '/opt/kafka/libs/*' \\
  kafka.Kafka /tmp/server.properties
"""
_KAFKA_HEALTH: Final = """\
#!/bin/sh
exec java -Xmx128m -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' \\
  org.apache.kafka.tools.BrokerApiVersionsCommand "$@"
"""
_POSTGRES_RUN: Final = """\
#!/bin/sh
set -eu
data=/var/lib/postgresql/data
bin=$(echo /usr/lib/postgresql/*/bin)
if ! test -e "$data/PG_VERSION"; then
  mkdir -p "$data"
  chown -R postgres:postgres "$data"
  chmod 700 "$data"
  install -m 600 -o postgres "$POSTGRES_PASSWORD_FILE" /tmp/password
  setpriv --reuid=postgres --regid=postgres --init-groups "$bin/initdb" -D "$data" \\
    --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 \\
    --encoding=UTF8 --locale=C.UTF-8
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
  echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | setpriv --reuid=postgres --regid=postgres \\
    --init-groups "$bin/postgres" --single -D "$data" postgres
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data" \\
  -c listen_addresses='*' -c unix_socket_directories=/tmp
"""


def ensure_server_image(name: str) -> str:
    """Have an image of a server of the compose file; return a sentence about where it is from."""
    if has_image(name):
        comment = run_tool("image", "inspect", "--format", "{{.Comment}}", name)
        return f"{name}: " + ("a stand-in made here" if "mmdebstrap" in comment else "here")
    if pull(name):
        return f"{name}: pulled"
    make = {
        "kafka": _make_kafka,
        "postgres": _make_postgres,
        "valkey": _make_valkey,
        "prometheus": _make_prometheus,
        "alertmanager": _make_alertmanager,
    }
    kind = name.rsplit("/", 1)[1].split(":", maxsplit=1)[0]
    make[kind](name)
    return f"{name}: a stand-in made here, since no registry gave it"


def _make_kafka(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        shutil.copytree(Path(ensure_kafka_jars()).parent, files / "opt/kafka/libs")
        _script(files / "opt/kafka/bin/kafka-broker-api-versions.sh", _KAFKA_HEALTH)
        _script(files / "run.sh", _KAFKA_RUN)
        make_debian_image(
            name,
            ("openjdk-21-jre-headless",),
            files=files,
            setup=("mkdir -p /var/lib/kafka/data && chown 1000:1000 /var/lib/kafka/data",),
            changes=("USER 1000", 'ENTRYPOINT ["/run.sh"]'),
        )


def _make_postgres(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _script(Path(folder) / "run.sh", _POSTGRES_RUN)
        make_debian_image(
            name,
            ("postgresql",),
            files=Path(folder),
            setup=(
                "rm -rf /var/lib/postgresql/*",
                "ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/",
            ),
            changes=('ENTRYPOINT ["/run.sh"]',),
        )


def _make_valkey(name: str) -> None:
    make_debian_image(name, ("valkey-server",))


def _make_prometheus(name: str) -> None:
    _make_watcher(name, "prometheus", "prometheus", "/prometheus")


def _make_alertmanager(name: str) -> None:
    _make_watcher(name, "prometheus-alertmanager", "prometheus-alertmanager", "/alertmanager")


def _make_watcher(name: str, package: str, program: str, data: str) -> None:
    make_debian_image(
        name,
        (package,),
        setup=(f"mkdir -p {data} && chown 65534:65534 {data}",),
        changes=("USER 65534", f'ENTRYPOINT ["/usr/bin/{program}"]'),
    )


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
