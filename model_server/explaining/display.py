"""An explanation as people see it on a terminal: the text with its words in colour, and a table."""

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from model_server.explaining.explain import Explanation
from schemas.escape_for_terminal import printable, shown
from schemas.terminal import plain_table

_TABLE_WORDS: Final = 15
_WORD_CHARS: Final = 60
_TEXT_CHARS: Final = 2_000
_WEAK: Final = 0.1
_STRONG: Final = 0.5
"""Shares of the largest weight, from which a word is coloured at all, and in bold."""


def explanation_parts(text: str, explanation: Explanation) -> Iterator[RenderableType]:
    """Yield what a person sees, one part below the other."""
    label = printable(explanation.label)
    yield Text(
        f"{label} {explanation.probability:.3f}, without any of the words "
        f"{explanation.base_value:.3f}"
    )
    yield _coloured(text, explanation)
    yield _table(explanation)
    hidden = len(explanation.words) - _TABLE_WORDS
    if hidden > 0:
        yield Text(f"{hidden} weaker words: --json has all", style="dim")
    if explanation.unexplained_words:
        yield Text(
            f"{explanation.unexplained_words:,} words behind the first "
            f"{len(explanation.words)} are left as they are",
            style="dim",
        )


def _coloured(text: str, explanation: Explanation) -> Text:
    largest = max((abs(word.weight) for word in explanation.words), default=0)
    line = Text()
    at = 0
    for word in explanation.words:
        if word.end > _TEXT_CHARS:
            break
        line.append(printable(text[at : word.start]))
        line.append(printable(word.text), style=_style(word.weight, largest))
        at = word.end
    line.append(shown(text[at:], _TEXT_CHARS - at))
    return line


def _style(weight: float, largest: float) -> str:
    if abs(weight) < _WEAK * largest or not largest:
        return ""
    colour = "green" if weight > 0 else "red"
    return f"bold {colour}" if abs(weight) >= _STRONG * largest else colour


def _table(explanation: Explanation) -> Table:
    table = plain_table("word", f"for {explanation.label}", numbers={f"for {explanation.label}"})
    largest = max((abs(word.weight) for word in explanation.words), default=0)
    strongest = sorted(explanation.words, key=lambda word: -abs(word.weight))
    for word in strongest[:_TABLE_WORDS]:
        style = _style(word.weight, largest)
        table.add_row(Text(shown(word.text, _WORD_CHARS)), Text(f"{word.weight:+.3f}", style=style))
    return table
