"""Where a long-running process serves its probes, as an option of its command."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from schemas.process.process_list import ProcessSpec

_Command = TypeVar("_Command", bound=Callable[..., Any])


def probe_port_option(process: ProcessSpec) -> Callable[[_Command], _Command]:
    """Add `probe_port`; the default is the one of the list of processes."""
    return click.option(
        "--probe-port",
        type=click.IntRange(0, 65_535),
        default=process.probe_port,
        show_default=True,
        help="Where /metrics, /healthz and /readyz are; 0: a free port.",
    )
