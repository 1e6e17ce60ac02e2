"""Prometheus's configuration: its targets are the processes of the one list.

`python -m deploy.observability.prometheus_config > deploy/observability/prometheus.yml` writes the
file that the repository keeps, for processes that answer to their names (compose, Kubernetes
without an operator). `--home .murmur` makes one for an embedded stack on this machine; and
`--check` tells whether the kept file is what the list says.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.embedded.layout import Layout
from deploy.embedded.leftover_processes import remembered_commands
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.stack_state import load_state
from schemas.failures import Failure
from schemas.process.process_list import EMBEDDED, PROCESSES

HOME: Final = Path(__file__).parent
_HEAD: Final = """\
# Made by `make generated` from schemas/process/process_list.py. Each process is asked for by its
# name: as many addresses as the name has are scraped. Leave out what you do not run.
"""


def prometheus_config(
    targets: Mapping[str, str] | None = None,
    *,
    rules: str = "rules/*.yml",
    alertmanager: str = "alertmanager:9093",
    every: str = "15s",
) -> dict[str, Any]:
    """Return the configuration; `targets` maps the names of processes to addresses.

    Without them every process of the list is looked for by its name in DNS, at its probe port.
    """
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [address]}]}
            for name, address in targets.items()
        ]
        if targets is not None
        else [
            {
                "job_name": process.name,
                "dns_sd_configs": [
                    {"names": [process.name], "type": "A", "port": process.probe_port}
                ],
            }
            for process in PROCESSES
        ],
    }


def as_yaml(config: Mapping[str, Any]) -> str:
    """Return the file's text."""
    return _HEAD + yaml.safe_dump(dict(config), sort_keys=False)


def embedded_targets(home: Path) -> dict[str, str]:
    """Return where the processes of the stack in this folder listen; `Failure` without one.

    They are those that `murmur up` always starts, and what it last started beside them.
    """
    layout = Layout.of(home)
    state = load_state(layout)
    if state is None:
        raise Failure(f"there is no stack in {home}: `murmur up` starts one")
    started = {part for command in remembered_commands(layout) for part in command}
    return {
        process.name: f"{LOOPBACK}:{state.ports[process.name]}"
        for process in PROCESSES
        if process in EMBEDDED or str(state.ports.get(process.name)) in started
    }


def main(arguments: Sequence[str]) -> int:
    """Print or check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.observability.prometheus_config")
    parser.add_argument("--home", type=Path, help="a stack of this machine")
    parser.add_argument("--check", action="store_true", help="compare with the kept file")
    chosen = parser.parse_args(arguments)
    if chosen.home is None:
        config = prometheus_config()
    else:
        config = prometheus_config(
            embedded_targets(chosen.home),
            rules=str(HOME / "rules" / "*.yml"),
            alertmanager=f"{LOOPBACK}:9093",
        )
    if chosen.check:
        kept = (HOME / "prometheus.yml").read_text(encoding="utf-8")
        if kept != as_yaml(config):
            print("prometheus.yml is out of date: run `make generated`", file=sys.stderr)  # noqa: T201
            return 1
        return 0
    sys.stdout.write(as_yaml(config))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        sys.exit(str(failure))
