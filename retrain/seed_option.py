"""The seed of whatever a command draws, as its option."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def seed_option(
    meaning: str = "Seed of everything that is drawn at random.",
) -> Callable[[_Command], _Command]:
    """Return an option `--seed`, 1 by default, within what torch, NumPy and scikit-learn take."""
    return click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help=meaning
    )
