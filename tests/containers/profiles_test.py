"""`make profiles-test`: the profiles beside `core` start as docker-compose.yml has them.

monitoring: Prometheus has the repository's rules, Alertmanager its routes. live: the stream runs,
and says that it has no connection where X cannot be reached. retrain: the guard runs, and with the
image for retraining the watch and MLflow too. What no registry gives is made here or left out; both
are said. Environment: as `make compose-test`.
"""

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import yaml

from deploy.embedded.ports import is_free_port
from tests.conditions import wait_until
from tests.containers.compose_test import Compose, podman_socket, servers_of_the_file, start
from tests.containers.stand_ins import ensure_server_image
from tests.containers.tool import (
    IMAGE,
    REPOSITORY,
    build_image,
    container_tool,
    ensure_python_image,
    has_image,
    pull,
)
from tests.observability_files import OBSERVABILITY

RETRAIN_IMAGE: Final = "localhost/murmur-retrain:test"
_PORTS: Final = ("SERVE_PORT", "KAFKA_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
_MORE_PORTS: Final = ("GRAFANA_PORT", "MLFLOW_PORT")
_READY_S: Final = 300.0
_STAYS_S: Final = 20.0


def image_of(service: str) -> str:
    """Return the image that the compose file names for a service."""
    document: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    return str(document["services"][service]["image"])


def answer_of(address: str) -> bytes | None:
    """Return what a service on this machine answers; None where it does not."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            page: bytes = answer.read()
            return page
    except OSError:
        return None


def try_monitoring(compose: Compose, ports: dict[str, str]) -> list[str]:
    """Start Prometheus and Alertmanager, and Grafana where there is an image; return the news."""
    services = ["prometheus", "alertmanager"]
    has_grafana = has_image(image_of("grafana")) or pull(image_of("grafana"))
    compose.run("up", "--detach", "--no-build", *services, *(["grafana"] if has_grafana else []))
    prometheus = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}"
    rules = wait_until(lambda: answer_of(f"{prometheus}/api/v1/rules"), _READY_S, "Prometheus")
    loaded = {
        rule["name"]
        for group in json.loads(rules)["data"]["groups"]
        for rule in group["rules"]
        if rule["type"] == "alerting"
    }
    written = {
        rule["alert"]
        for file in (OBSERVABILITY / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    if loaded != written:
        raise SystemExit(f"✗  Prometheus lacks rules: {sorted(written - loaded)}")
    alertmanager = f"http://127.0.0.1:{ports['ALERTMANAGER_PORT']}"
    status = wait_until(
        lambda: answer_of(f"{alertmanager}/api/v2/status"), _READY_S, "Alertmanager"
    )
    if "MurmurKafkaAway" not in json.loads(status)["config"]["original"]:
        raise SystemExit("✗  Alertmanager has other routes")
    said = [f"✓  monitoring: {len(loaded)} alerts in Prometheus, our routes in Alertmanager"]
    if not has_grafana:
        return [*said, "-  Grafana: no registry gives its image, so it was not started"]
    grafana = f"http://127.0.0.1:{ports['GRAFANA_PORT']}/api/health"
    wait_until(lambda: answer_of(grafana), _READY_S, "Grafana")
    return [*said, "✓  Grafana answers"]


def try_processes(compose: Compose, services: Iterable[str]) -> list[str]:
    """Start processes with what they depend on; return the news once they have stayed up."""
    said = []
    for service in services:
        start(compose, service)
        wait_until(partial(_is_live, compose, service), _READY_S, f"{service} to live")
        end_s = time.monotonic() + _STAYS_S
        wait_until(partial(_is_after, end_s), 60, "a while")
        if not _is_live(compose, service):
            raise SystemExit(f"✗  {service} ended\n{compose.run('logs', '--tail=20', service)}")
        said.append(f"✓  {service} runs, and its own health check says so")
    return said


def _is_after(moment_s: float) -> bool:
    return time.monotonic() > moment_s


def _is_live(compose: Compose, service: str) -> bool:
    asked = compose.start("exec", "-T", service, "/opt/murmur/bin/murmur", "health")
    return asked.wait(timeout=120) == 0


@click.command()
@click.option("--retrain", is_flag=True, help="Build the image for retraining, and start it too.")
@click.argument("profiles", nargs=-1, type=click.Choice(["monitoring", "live", "retrain"]))
def main(retrain: bool, profiles: tuple[str, ...]) -> None:
    """Start PROFILES, or all, as the compose file has them."""
    wanted = profiles or ("monitoring", "live", "retrain")
    if not has_image(IMAGE):
        click.echo(ensure_python_image())
        build_image(IMAGE)
    if retrain and not has_image(RETRAIN_IMAGE):
        build_image(RETRAIN_IMAGE, "retrain")
    images = servers_of_the_file() if set(wanted) != {"monitoring"} else []
    images += [image_of(name) for name in ("prometheus", "alertmanager") if "monitoring" in wanted]
    for image in images:
        click.echo(ensure_server_image(image))
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="murmur-compose-")))
        subprocess.run(
            ["sh", "deploy/compose/make_secrets.sh", folder / "secrets"], cwd=REPOSITORY, check=True
        )
        (folder / "secrets" / "x_bearer_token").write_text("a-token-of-nobody")
        reach = cleanup.enter_context(podman_socket(folder))
        free = (str(port) for port in range(22_000, 32_000, 11) if is_free_port(port))
        ports = {name: next(free) for name in (*_PORTS, *_MORE_PORTS)}
        named = {
            "SECRETS_DIR": str(folder / "secrets"),
            "MURMUR_SERVING_IMAGE": IMAGE,
            "MURMUR_RETRAIN_IMAGE": RETRAIN_IMAGE,
        }
        compose = Compose({**reach, **named, **ports}, profiles=("core", *wanted))
        compose.run("down", "--volumes", "--remove-orphans")
        cleanup.callback(compose.run, "down", "--volumes", "--remove-orphans", "--timeout=30")
        said = [f"   by {container_tool()}"]
        if "monitoring" in wanted:
            said += try_monitoring(compose, ports)
        if "live" in wanted:
            said += try_processes(compose, ["stream"])
        if "retrain" in wanted:
            said += try_processes(compose, ["guard", *(["retrain-watch"] if retrain else [])])
            if retrain:
                mlflow = f"http://127.0.0.1:{ports['MLFLOW_PORT']}/health"
                wait_until(lambda: answer_of(mlflow), _READY_S, "MLflow")
                said.append("✓  MLflow answers")
            else:
                said.append("-  retrain-watch and MLflow: without --retrain they are left out")
        click.echo("\n".join(said))
    click.echo("1 passed, 0 failed")


if __name__ == "__main__":
    main()
