"""Printing for people, on a terminal or into a pipe."""

import os

from rich.console import Console

_COLUMNS_OF_A_PIPE = 1_000


def terminal_console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """Return a console that shows what it is given: `:100:` is no emoji, and numbers no colours.

    Into a pipe lines are as long as they have to be, so that no table loses a column there;
    `COLUMNS` still decides.
    """
    found = Console(stderr=stderr, soft_wrap=soft_wrap, emoji=False, highlight=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _COLUMNS_OF_A_PIPE
    return found
