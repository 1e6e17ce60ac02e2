"""`make compose-test`: docker-compose.yml does what it says, and its figures are counted.

Starts the profile `core` as the file has it, with two scoring processes, replays an archive from
its image, counts in its PostgreSQL, asks its service with a key, and takes all of it down with its
volumes. Where no registry gives Kafka, PostgreSQL and Valkey, stand-ins are made and named.

Environment: what `tests/containers/tool.py` reads, and `COMPOSE`, the compose command.
"""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import click
import yaml

from deploy.demo.archive import sample_archive, write_archive
from deploy.embedded.ports import is_free_port
from tests.conditions import wait_until
from tests.containers.stand_ins import ensure_server_image
from tests.containers.tool import (
    IMAGE,
    REPOSITORY,
    build_image,
    container_tool,
    ensure_python_image,
    has_image,
    run_tool,
)

PROJECT: Final = "murmur-compose-test"
RUN: Final = "compose"
SERVERS: Final = ("kafka", "postgres", "valkey")
_UP_S: Final = 600.0
_STORED_S: Final = 900.0


def compose_command() -> list[str]:
    """Return the command, `docker compose` or `docker-compose`."""
    named = os.environ.get("COMPOSE")
    if named:
        return shlex.split(named)
    return ["docker", "compose"] if shutil.which("docker") else ["docker-compose"]


class Compose:
    """The project of this test."""

    def __init__(self, environment: dict[str, str], *, profiles: Sequence[str] = ("core",)) -> None:
        self._environment = {**os.environ, **environment}
        chosen = [f"--profile={profile}" for profile in profiles]
        self._command = [*compose_command(), "--project-name", PROJECT, *chosen]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command without waiting for it."""
        return subprocess.Popen([*self._command, *arguments], cwd=REPOSITORY, env=self._environment)

    def run(self, *arguments: str) -> str:
        """Run a command that must succeed; return its standard output."""
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout.strip()

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers that run."""
        mine = {"project": PROJECT, "service": service}
        filters = [f"--filter=label=com.docker.compose.{key}={mine[key]}" for key in mine]
        return run_tool("ps", "--quiet", *filters).split()


@contextmanager
def podman_socket(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment by which compose reaches the tool; podman gets a socket for it."""
    if "podman" not in container_tool() or "DOCKER_HOST" in os.environ:
        yield {}
        return
    socket = folder / "podman.sock"
    serving = subprocess.Popen(
        [container_tool(), "system", "service", "--time=0", f"unix://{socket}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(socket.exists, timeout_s=30, what="podman's socket")
        yield {"DOCKER_HOST": f"unix://{socket}"}
    finally:
        serving.terminate()
        serving.wait(timeout=30)


def ask_health_checks(compose: Compose) -> None:
    """Run the servers' health checks once, where podman has no systemd that would do it."""
    if "podman" in container_tool() and not Path("/run/systemd/system").exists():
        for server in SERVERS:
            for container in compose.containers(server):
                command = [container_tool(), "healthcheck", "run", container]
                # One that takes long on a busy machine is asked again.
                with suppress(subprocess.TimeoutExpired):
                    subprocess.run(command, capture_output=True, check=False, timeout=60)


def start(compose: Compose, *services: str) -> None:
    """Start services of the profile, or all, with what they depend on."""
    scale = [] if services else ["--scale", "score=2"]
    starting = compose.start("up", "--detach", "--no-build", *scale, *services)

    def is_up() -> bool:
        ask_health_checks(compose)
        return starting.poll() is not None

    wait_until(is_up, timeout_s=_UP_S, what="compose has started its services")
    if starting.returncode:
        said = compose.run("logs", "--tail=20")
        raise SystemExit(f"compose up: exit {starting.returncode}\n{said}")


def bring_up(compose: Compose) -> str:
    """Start the profile, return when every service is ready; return a key for the service.

    The key comes before the service: it answers no other machine without one.
    """
    start(compose, "score")
    scopes = ("--scope", "read", "--scope", "predict", "--json")
    create = ("keys", "create", "--name", "test", *scopes)
    made = compose.run("exec", "-T", "score", "/opt/murmur/bin/murmur", *create)
    bearer: str = json.loads(made)["bearer"]
    start(compose)

    def all_ready() -> bool:
        for service, index in (("score", 1), ("score", 2), ("sink", 1), ("watch", 1), ("serve", 1)):
            asked = compose.start(
                "exec",
                "-T",
                "--index",
                str(index),
                service,
                "/opt/murmur/bin/murmur",
                "health",
                "--ready",
            )
            if asked.wait(timeout=120):
                return False
        return True

    wait_until(all_ready, timeout_s=_UP_S, what="score, sink, watch and serve are ready")
    return bearer


def count(compose: Compose, secrets: Path, statement: str) -> int:
    """Ask the project's PostgreSQL for one number."""
    password = (secrets / "postgres_password").read_text().strip()
    psql = ["psql", "-h", "127.0.0.1", "-U", "murmur", "-d", "murmur", "-Atc", statement]
    return int(compose.run("exec", "-T", "-e", f"PGPASSWORD={password}", "postgres", *psql))


def ask_service(bearer: str, port: str) -> str:
    """Return the label that the published port gives a text."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict",
        data=json.dumps({"text": "What a lovely evening"}).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {bearer}",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        label: str = json.load(answer)["label"]
    return label


def servers_of_the_file() -> list[str]:
    """Return the images of the servers that the compose file names."""
    document: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    return [document["services"][server]["image"] for server in SERVERS]


@click.command()
@click.option("--lines", default=4_000, show_default=True, help="Lines of the archive.")
@click.option("--keep-up", is_flag=True, help="Leave it running, and say how it is reached.")
def main(lines: int, keep_up: bool) -> None:
    """Run the compose file's own services and count what they store."""
    began_s = time.monotonic()
    if not has_image(IMAGE):
        click.echo(ensure_python_image())
        build_image(IMAGE)
    for image in servers_of_the_file():
        click.echo(ensure_server_image(image))
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="murmur-compose-")))
        secrets = REPOSITORY / ".compose" if keep_up else folder / "secrets"
        subprocess.run(
            ["sh", "deploy/compose/make_secrets.sh", secrets], cwd=REPOSITORY, check=True
        )
        reach = cleanup.enter_context(podman_socket(folder))
        # Those of the file may be taken here; a person who keeps it up gets them.
        free = (str(port) for port in range(21_000, 32_000, 11) if is_free_port(port))
        ports = {"SERVE_PORT": "8100", "KAFKA_PORT": "9094"}
        if not keep_up:
            ports = {name: next(free) for name in ports}
        named = {"SECRETS_DIR": str(secrets), "MURMUR_SERVING_IMAGE": IMAGE}
        compose = Compose({**reach, **named, **ports})
        compose.run("down", "--volumes", "--remove-orphans")
        if not keep_up:
            cleanup.callback(compose.run, "down", "--volumes", "--remove-orphans", "--timeout=30")
        bearer = bring_up(compose)
        click.echo(f"✓  up and ready in {time.monotonic() - began_s:.0f} s, images included")
        archive = sample_archive(lines=lines, file="sample.jsonl.gz")
        path = folder / "sample.jsonl.gz"
        write_archive(archive, path)
        path.chmod(0o444)
        began_s = time.monotonic()
        mount = f"{path}:/data/sample.jsonl.gz:ro"
        replay = ["replay", "/data/sample.jsonl.gz", "--run", RUN]
        compose.run("run", "--rm", "--no-deps", "-T", "-v", mount, "init", *replay)
        expected = archive.manifest.rows
        dead = sum(archive.manifest.dead_letter_reasons.values())

        def is_stored() -> bool:
            return (
                count(compose, secrets, "SELECT count(*) FROM tweets WHERE run = 'compose'")
                == expected
                and count(compose, secrets, "SELECT count(*) FROM dead_letters") == dead
            )

        wait_until(
            is_stored, timeout_s=_STORED_S, what=f"{expected:,} rows and {dead} dead letters"
        )
        scores = count(
            compose, secrets, "SELECT count(*) FROM scores WHERE run = 'compose' AND counts"
        )
        if scores != expected:
            raise SystemExit(f"✗  {scores:,} scores for {expected:,} rows")
        took_s = time.monotonic() - began_s
        click.echo(
            f"✓  {lines:,} lines: {expected:,} rows and scores, {dead} dead letters, {took_s:.0f} s"
        )
        label = ask_service(bearer, ports["SERVE_PORT"])
        if label != "positive":
            raise SystemExit(f"✗  the service says {label}")
        click.echo("✓  the service answers on the published port, with a key")
        if keep_up:
            click.echo("It stays up: http://127.0.0.1:8100, Kafka at 127.0.0.1:9094.")
            click.echo(
                f"docker compose --project-name {PROJECT} --profile core down --volumes ends it."
            )
    click.echo("1 passed, 0 failed")


if __name__ == "__main__":
    main()
