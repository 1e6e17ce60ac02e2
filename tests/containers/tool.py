"""The container tool of this machine: docker or podman, called as a person would.

Environment: `CONTAINER_TOOL` names it (else the first of docker and podman), `IMAGE_BUILD_ARGS`
holds further arguments of `build` (proxies, certificates, isolation), `CONTAINERS_CONF` is
podman's own. Nothing of one machine stands in the repository.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
IMAGE: Final = "localhost/murmur:test"
PYTHON_IMAGE: Final = "docker.io/library/python:3.13-slim-trixie"
DEBIAN_RELEASE: Final = "trixie"
_BUILD_TIMEOUT_S: Final = 1_800


def container_tool() -> str:
    """Return the program; raise `SystemExit` where there is none."""
    named = os.environ.get("CONTAINER_TOOL")
    found = named or shutil.which("docker") or shutil.which("podman")
    if not found:
        raise SystemExit("neither docker nor podman is installed: CONTAINER_TOOL names another")
    return found


def run_tool(*arguments: str | Path, timeout_s: float = 120) -> str:
    """Run the tool, which must succeed, and return its standard output."""
    done = subprocess.run(
        [container_tool(), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


def has_image(name: str) -> bool:
    """Tell whether an image is on this machine."""
    command = [container_tool(), "image", "inspect", name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def pull(name: str) -> bool:
    """Fetch an image from its registry; tell whether that was possible."""
    command = [container_tool(), "pull", "--quiet", name]
    return subprocess.run(command, capture_output=True, timeout=600, check=False).returncode == 0


def ensure_python_image() -> str:
    """Have the image that ours begins from; return a sentence that says where it comes from."""
    if has_image(PYTHON_IMAGE):
        labels = run_tool("image", "inspect", "--format", "{{.Comment}}", PYTHON_IMAGE)
        made_here = "mmdebstrap" in labels
        return f"{PYTHON_IMAGE}: " + ("made here by mmdebstrap" if made_here else "on this machine")
    if pull(PYTHON_IMAGE):
        return f"{PYTHON_IMAGE}: pulled"
    make_debian_image(PYTHON_IMAGE, ("python3", "python3-venv", "ca-certificates"))
    return f"{PYTHON_IMAGE}: made here by mmdebstrap, since no registry gave it"


def make_debian_image(
    name: str,
    packages: Sequence[str],
    *,
    files: Path | None = None,
    setup: Sequence[str] = (),
    changes: Sequence[str] = (),
) -> None:
    """Make an image from Debian's packages, for a machine that reaches no image registry.

    `files` are copied over the new system, then the shell commands of `setup` run in it; `changes`
    are instructions of a Dockerfile.
    """
    if shutil.which("mmdebstrap") is None:
        raise SystemExit(f"{name} cannot be pulled, and there is no mmdebstrap to make it")
    bootstrap = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        *([f"--customize-hook=sync-in {files} /"] if files else []),
        *(f'--customize-hook=chroot "$1" sh -c {shlex.quote(line)}' for line in setup),
        DEBIAN_RELEASE,
        "-",
    ]
    instructions = [f"--change={change}" for change in changes]
    with subprocess.Popen(bootstrap, stdout=subprocess.PIPE) as made:
        imported = subprocess.run(
            [container_tool(), "import", "--message=mmdebstrap", *instructions, "-", name],
            stdin=made.stdout,
            capture_output=True,
            check=False,
        )
    if made.returncode or imported.returncode:
        raise SystemExit(f"{name} cannot be made: {imported.stderr.decode(errors='replace')}")


def build_image(
    name: str, target: str = "serving", arguments: Mapping[str, str] | None = None
) -> None:
    """Build one of Murmur's images from the checkout."""
    subprocess.run(
        [
            container_tool(),
            "build",
            *shlex.split(os.environ.get("IMAGE_BUILD_ARGS", "")),
            *(f"--build-arg={key}={value}" for key, value in (arguments or {}).items()),
            "--file=deploy/image/Dockerfile",
            f"--target={target}",
            f"--tag={name}",
            ".",
        ],
        cwd=REPOSITORY,
        timeout=_BUILD_TIMEOUT_S,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def size_mb(name: str) -> float:
    """Return an image's size in units of a million bytes."""
    return int(run_tool("image", "inspect", "--format", "{{.Size}}", name)) / 1e6
