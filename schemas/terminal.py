"""Printing for people, on a terminal or into a pipe."""

import os
from collections.abc import Collection, Iterable
from typing import Any, Final

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from schemas.escape_for_terminal import printable

_COLUMNS_OF_A_PIPE: Final = 1_000
_UNBOUNDED_COLUMNS: Final = 100_000


class SafeConsole(Console):
    """A console on which no text speaks to the terminal: what is not printable is escaped.

    Rich lets most control characters pass. Strings are escaped before they are measured; whatever
    else is printed, at the last moment.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text of a string, as Rich does."""
        return super().render_str(printable(text, keep="\n\t"), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render anything, as Rich does."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text, keep="\n"), segment.style)


def terminal_console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """Return a console that shows what it is given: `:100:` is no emoji, and numbers no colours.

    Escape sequences in what it is given are shown too, and do nothing.

    Into a pipe lines are as long as they have to be, so that no table loses a column there;
    `COLUMNS` still decides.
    """
    found = SafeConsole(stderr=stderr, soft_wrap=soft_wrap, emoji=False, highlight=False)
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
        title=None if title is None else Text(printable(title)),
        title_justify="left",
    )
    for heading in headings:
        table.add_column(
            Text(printable(heading)),
            justify="right" if heading in numbers else "left",
            no_wrap=heading in numbers or heading in whole,
            overflow="fold",
        )
    return table


def whole_line(text: str, style: str = "") -> Text:
    """Return a line that `print_whole` never breaks or cuts: a command, an address, a query."""
    return Text(printable(text), style=style, no_wrap=True, overflow="ignore")


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
