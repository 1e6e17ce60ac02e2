"""Image, compose file, chart, workflows and units, each by the program that it is meant for."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.containers.compose_test import compose_command
from tests.ops_check.step import (
    REPOSITORY,
    MissingTool,
    Shared,
    Step,
    StepFailed,
    need,
    output_of,
)

_LOCKED_TOOLS: Final = REPOSITORY / ".venv" / "ops" / "bin"
_CHART: Final = "deploy/kubernetes/chart"
_EVERYTHING: Final = f"{_CHART}/ci/everything-values.yaml"
_HELM: Final = "https://helm.sh/docs/intro/install"


def _locked(tool: str) -> str:
    """Return a tool of requirements/ops.txt; `MissingTool` where it is not installed."""
    path = _LOCKED_TOOLS / tool
    if not path.exists():
        raise MissingTool(tool, "make .venv/ops.stamp")
    return str(path)


def _files(pattern: str) -> list[str]:
    return [str(path.relative_to(REPOSITORY)) for path in sorted(REPOSITORY.glob(pattern))]


def _dockerfile(shared: Shared) -> str:
    del shared
    output_of([_locked("hadolint"), "deploy/image/Dockerfile"])
    return "hadolint has nothing to say"


def _compose(shared: Shared) -> str:
    schema = ("--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    output_of([_locked("check-jsonschema"), *schema])
    compose = compose_command()
    need(compose[0], "Docker with its compose plugin, or Debian's docker-compose")
    secrets = shared.folder / "secrets"
    output_of(["sh", "deploy/compose/make_secrets.sh", secrets])
    read = subprocess.run(
        [*compose, "--profile", "*", "config", "--quiet"],
        cwd=REPOSITORY,
        env={**os.environ, "SECRETS_DIR": str(secrets)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if read.returncode:
        raise StepFailed(read.stderr)
    return "valid by its schema and for compose"


def _chart(shared: Shared) -> str:
    helm = need("helm", _HELM)
    rendered = shared.folder / "rendered.yaml"
    kinds = []
    for values in ((), ("--values", _EVERYTHING)):
        output_of([helm, "lint", "--strict", "--quiet", _CHART, *values])
        text = output_of([helm, "template", "murmur", _CHART, *values])
        rendered.write_text(text)
        output_of([_locked("kubernetes-validate"), "--strict", rendered])
        kinds.append(text.count("\nkind: "))
    _refuses([helm, "template", "murmur", _CHART, "--set", "image.tagg=1"], "tagg")
    return f"{kinds[0]} manifests as it comes and {kinds[1]} with everything are valid"


def _workflows(shared: Shared) -> str:
    workflows = _files(".github/workflows/*.yml")
    schema = ("--builtin-schema", "vendor.github-workflows")
    output_of([_locked("check-jsonschema"), *schema, *workflows])
    output_of([_locked("zizmor"), "--offline", "--quiet", ".github"])
    injected = shared.folder / "injected.yml"
    text = (REPOSITORY / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    injected.write_text(
        text.replace("run: make check", "run: echo ${{ github.event.pull_request.title }}")
    )
    _refuses([_locked("zizmor"), "--offline", "--quiet", injected], "template-injection")
    get = "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
    output_of([need("actionlint", get), *workflows])
    return f"{len(workflows)} are valid and safe; a seeded injection is noticed"


def _units(shared: Shared) -> str:
    del shared
    analyze = need("systemd-analyze", "a machine with systemd")
    units = _files("deploy/systemd/murmur*.*")
    read = subprocess.run(
        [analyze, "verify", *units],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # It speaks of other units too, and the program is installed where Murmur is.
    said = [
        line
        for line in (read.stdout + read.stderr).splitlines()
        if "murmur" in line and "is not executable" not in line
    ]
    if said:
        raise StepFailed("\n".join(said))
    return f"{len(units)} are understood"


def _refuses(command: Sequence[str | Path], what: str) -> None:
    """Raise `StepFailed` unless a seeded fault is told."""
    try:
        output_of(command)
    except StepFailed as told:
        if what in str(told):
            return
    raise StepFailed(f"a seeded fault passes: {' '.join(map(str, command))}")


STEPS: Final = (
    Step("deployment: image", _dockerfile),
    Step("deployment: compose", _compose),
    Step("deployment: chart", _chart),
    Step("deployment: workflows", _workflows),
    Step("deployment: systemd", _units),
)
