"""Printing for people, on a terminal or into a pipe."""

import os
from collections.abc import Collection
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_COLUMNS_OF_A_PIPE: Final = 1_000
_UNBOUNDED_COLUMNS: Final = 100_000


def terminal_console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """Return a console that shows what it is given: `:100:` is no emoji, and numbers no colours.

    Into a pipe lines are as long as they have to be, so that no table loses a column there;
    `COLUMNS` still decides.
    """
    found = Console(stderr=stderr, soft_wrap=soft_wrap, emoji=False, highlight=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _COLUMNS_OF_A_PIPE
    return found


def plain_table(
    *headings: str,
    numbers: Collection[str] = (),
    whole: Collection[str] = (),
    title: str | None = None,
) -> Table:
    """Return an empty table without lines around it, the same for every command.

    Headings are texts, not markup. Columns in `numbers` stand at the right. Those and the ones in
    `whole` hold what people copy: they are never broken, if the table is printed by `print_whole`.
    Every other column is broken over lines where the room is short; nothing is cut.
    """
    table = Table(
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
        show_header=bool(headings),
        title=None if title is None else Text(title),
        title_justify="left",
    )
    for heading in headings:
        table.add_column(
            Text(heading),
            justify="right" if heading in numbers else "left",
            no_wrap=heading in numbers or heading in whole,
            overflow="fold",
        )
    return table


def whole_line(text: str, style: str = "") -> Text:
    """Return a line that `print_whole` never breaks or cuts: a command, an address, a query."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


def print_whole(console: Console, *parts: RenderableType) -> None:
    """Print parts one below the other; where the room is too small, lines go beyond it.

    The terminal then breaks them itself, and what is copied from it is whole.
    """
    width = console.width
    unbounded = console.options.update(width=_UNBOUNDED_COLUMNS)
    for part in parts:
        least = Measurement.get(console, unbounded, part).minimum
        try:
            console.width = max(width, least)
            # In a group: texts that are printed as they are would be joined, and then broken.
            console.print(Group(part), crop=False)
        finally:
            console.width = width
