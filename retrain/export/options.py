"""What a bundle is called and under which licence, as options of the commands that make one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def naming_options(command: _Command) -> _Command:
    """Add `name`, `version` and `licence`; without a name a bundle has that of its folder."""
    for option in (
        click.option(
            "--licence", help="Licence of the weights, for the card. Default: not stated."
        ),
        click.option("--version", default="1", show_default=True, help="Version of the bundle."),
        click.option("--name", help="Name of the bundle. Default: the name of its folder."),
    ):
        command = option(command)
    return command
