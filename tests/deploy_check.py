"""`make deploy-check`: every file of the deployment is read by the program that it is meant for.

What a machine does not have is named and left out, unless `--all` says that nothing may be.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

REPOSITORY: Final = Path(__file__).parents[1]
CHART: Final = "deploy/kubernetes/chart"
EVERYTHING: Final = f"{CHART}/ci/everything-values.yaml"
_TIMEOUT_S: Final = 300


@dataclass(frozen=True)
class Check:
    """One call of a linter; `program` is looked for beside the locked tools, then on the PATH."""

    what: str
    program: str
    arguments: tuple[str, ...]


def checks(rendered: str) -> Iterator[Check]:
    """Yield the checks; a chart is rendered into the file `rendered` between two of them."""
    workflows = [str(path) for path in sorted(REPOSITORY.glob(".github/workflows/*.yml"))]
    units = [str(path) for path in sorted(REPOSITORY.glob("deploy/systemd/murmur*.*"))]
    yield Check("Dockerfile", "hadolint", ("deploy/image/Dockerfile",))
    schema = ("--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    yield Check("compose file by its schema", "check-jsonschema", schema)
    compose = ("--profile", "*", "config", "--quiet")
    yield Check("compose file", "docker-compose", compose)
    yield Check("chart", "helm", ("lint", "--strict", "--quiet", CHART))
    yield Check(
        "chart, all of it", "helm", ("lint", "--strict", "--quiet", CHART, "-f", EVERYTHING)
    )
    yield Check("manifests", "kubernetes-validate", ("--strict", rendered))
    github = ("--builtin-schema", "vendor.github-workflows", *workflows)
    yield Check("workflows by their schema", "check-jsonschema", github)
    yield Check("workflows", "actionlint", tuple(workflows))
    yield Check("workflows' security", "zizmor", ("--offline", "--quiet", *workflows))
    yield Check("systemd units", "systemd-analyze", ("verify", *units))


def find(program: str, tools: Path) -> str | None:
    """Return the path of a program, or None."""
    locked = tools / program
    return str(locked.absolute()) if locked.exists() else shutil.which(program)


def faults_of(check: Check, program: str, environment: dict[str, str]) -> str:
    """Run a check; return what it says where it fails, else nothing."""
    done = subprocess.run(
        [program, *check.arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    output = (done.stdout + done.stderr).strip()
    if check.program == "systemd-analyze":
        # The programs of an installation are not on this machine.
        lines = [line for line in output.splitlines() if not re.search(r"is not executable", line)]
        return "\n".join(line for line in lines if "murmur" in line)
    return output or f"exit {done.returncode}" if done.returncode else ""


def render(tools: Path, into: Path) -> bool:
    """Render the whole chart into a file; tell whether helm is here."""
    helm = find("helm", tools)
    if helm is None:
        return False
    command = [helm, "template", "murmur", CHART, "-f", EVERYTHING]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise SystemExit(f"✗  the chart cannot be rendered\n{done.stderr}")
    into.write_text(done.stdout)
    return True


@click.command()
@click.option("--tools", type=click.Path(path_type=Path), default=Path(".venv/ops/bin"))
@click.option("--all", "may_lack_nothing", is_flag=True, help="Fail where a program is missing.")
def main(tools: Path, may_lack_nothing: bool) -> None:
    """Run every check that this machine can."""
    failed, left_out = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        secrets = Path(folder, "secrets")
        subprocess.run(
            ["sh", "deploy/compose/make_secrets.sh", secrets], cwd=REPOSITORY, check=True
        )
        environment = {**os.environ, "SECRETS_DIR": str(secrets)}
        rendered = Path(folder, "rendered.yaml")
        is_rendered = render(tools, rendered)
        for check in checks(str(rendered)):
            program = find(check.program, tools)
            needs_chart = check.program == "kubernetes-validate" and not is_rendered
            if program is None or needs_chart:
                click.echo(f"–  {check.what}: no {'helm' if needs_chart else check.program} here")
                left_out += 1
                continue
            faults = faults_of(check, program, environment)
            click.echo(f"{'✗' if faults else '✓'}  {check.what} ({check.program})")
            if faults:
                click.echo(faults)
                failed += 1
    if left_out:
        click.echo(f"{left_out} left out")
    sys.exit(1 if failed or (left_out and may_lack_nothing) else 0)


if __name__ == "__main__":
    main()
