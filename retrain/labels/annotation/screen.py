"""What `murmur labels annotate` shows: a tweet, the keys, how far it is."""

from collections.abc import Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from retrain.labels.annotation.sitting import Progress
from retrain.labels.audits_needed import audits_needed, half_width_now
from retrain.labels.stored_tweets import ShownTweet
from schemas.escape_for_terminal import shown

_MOST_LINES: Final = 40


class Screen:
    """The terminal, drawn anew for each tweet and for each new size."""

    def __init__(self, console: Console, run: str, keys: Mapping[str, str]) -> None:
        self._console = console
        self._run = run
        self._keys = keys
        self._parts: Group = Group()

    def show(
        self, tweet: ShownTweet, progress: Progress, *, note: str = "", answer_shown: bool = False
    ) -> None:
        """Show a tweet; the model's answer only where it is asked for."""
        posted = f"{tweet.posted_at:%Y-%m-%d %H:%M} UTC"
        model = f"model: {shown(tweet.label)} ({tweet.confidence:.2f})" if answer_shown else ""
        self._draw(
            Text(f"{shown(self._run)}  {posted}  {model}", style="dim"),
            Padding(_text(tweet.text), (1, 2)),
            self._help(),
            Text(note, style="yellow"),
            Text(sentence(progress), style="dim"),
        )

    def show_end(self, progress: Progress, note: str = "") -> None:
        """Show that the queue is done."""
        self._draw(
            Text("The queue is done. U takes the last answer back, Q ends."),
            Text(note, style="yellow"),
            Text(sentence(progress), style="dim"),
        )

    def redraw(self) -> None:
        """Draw the same for a terminal of another size."""
        self._console.clear()
        self._console.print(self._parts)

    def _draw(self, *parts: RenderableType) -> None:
        self._parts = Group(*parts)
        self.redraw()

    def _help(self) -> RenderableType:
        keys = Text()
        for key, label in self._keys.items():
            keys.append(f" {key} ", style="reverse")
            keys.append(f" {shown(label, 40)}   ")
        rest = "U undo   S skip (comes again another time)   ? unsure   Q quit"
        return Group(keys, Text(rest, style="dim"))


def sentence(progress: Progress) -> str:
    """Return how far it is, and how many audits ± 3 points need."""
    audits = sum(progress.audits.values())
    needed = audits_needed(progress.audits)
    now = half_width_now(progress.audits)
    parts = [f"{progress.labelled} labelled, {progress.unsure} unsure, {progress.left} left"]
    parts.append(f"{audits:,} audits of this run" + (f": ± {100 * now:.0f} points" if now else ""))
    if audits < needed:
        parts.append(f"± 3 from about {needed:,} on, with the model's help from fewer")
    return "  ·  ".join(parts)


def _text(text: str) -> Text:
    lines = [shown(line) for line in text.split("\n")]
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… ({len(lines) - _MOST_LINES} more lines)"]
    return Text("\n".join(lines), style="bold")
