"""Dead letters as people and programs read them."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table
from stream_processors.dead_letters.letters import MAX_REDRIVES, Letter
from stream_processors.dead_letters.redrive import RefusedRedrive

_CELL_CHARS = 60
_NAMED_IDS = 5


def letters_table(letters: Sequence[Letter]) -> Table:
    """Return what `murmur dead-letters list` shows."""
    # What may be long shares the room that is left; the rest is copied into other commands.
    copied = ("id", "first seen", "run", "stage", "reason", "status")
    table = plain_table(*copied, "detail", whole=copied)
    for letter in letters:
        table.add_row(
            str(letter.dead_letter_id),
            _moment(letter.first_seen_at),
            *(
                Text(shown(cell, _CELL_CHARS))
                for cell in (
                    letter.run or "",
                    letter.stage,
                    letter.reason,
                    status_text(letter),
                    letter.detail,
                )
            ),
        )
    return table


def by_reason(refusals: Sequence[RefusedRedrive]) -> dict[str, list[int]]:
    """Return the ids of refused letters by what is said of them, in the order of the first ones."""
    found: dict[str, list[int]] = {}
    for refusal in refusals:
        found.setdefault(refusal.why, []).append(refusal.dead_letter_id)
    return found


def in_short(ids: Sequence[int]) -> str:
    """Return a few ids and how many more there are."""
    named = ", ".join(map(str, ids[:_NAMED_IDS]))
    return named if len(ids) <= _NAMED_IDS else f"{named} and {len(ids) - _NAMED_IDS:,} more"


def letter_table(letter: Letter) -> Table:
    """Return what `murmur dead-letters show` shows: everything, with the value made safe."""
    table = plain_table()
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    kept = "" if letter.whole else f", of which {len(letter.value or b''):,} are kept"
    for name, content in (
        ("id", str(letter.dead_letter_id)),
        ("run", letter.run),
        ("stage", letter.stage),
        ("reason", letter.reason),
        ("detail", letter.detail),
        ("status", status_text(letter)),
        ("since", f"{_moment(letter.status_at)} UTC"),
        ("note", letter.note),
        ("first seen", f"{_moment(letter.first_seen_at)} UTC"),
        ("from", position_text(letter)),
        ("key", letter.key),
        *((f"header {shown(name, _CELL_CHARS)}", value) for name, value in letter.headers),
        ("size", f"{letter.value_size_bytes:,} bytes{kept}"),
        ("sha-256", letter.value_sha256),
        ("value", letter.value),
    ):
        table.add_row(Text(name), Text(shown(content)))
    return table


def as_document(letter: Letter) -> dict[str, Any]:
    """Return a letter for JSON: bytes in Base64, and as text where a person may like to read it."""
    document: dict[str, Any] = msgspec.to_builtins(letter)
    return {
        **document,
        "headers": [[name, base64.b64encode(value).decode()] for name, value in letter.headers],
        "value_text": None if letter.value is None else letter.value.decode(errors="replace"),
        "value_complete": letter.whole,
    }


def status_text(letter: Letter) -> str:
    """Return the status with how often the letter came back."""
    often = f"{letter.redrives} of {MAX_REDRIVES}"
    if letter.status == "new" and letter.redrives:
        return f"new (redriven {often})"
    return f"redriven {often}" if letter.status == "redriven" else letter.status


def position_text(letter: Letter) -> str:
    """Return where a letter was first read."""
    if letter.source.startswith("file:"):
        return f"{letter.source[:17]} line {letter.source_offset}"
    return f"{letter.source}[{letter.source_partition}] {letter.source_offset}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
