"""What people write on the command line of a replay, and what they are asked."""

import re
import sys
from datetime import datetime
from typing import Final, NamedTuple

import click

from producers.formats.named_values import COLUMNS
from producers.parsing.faults import Unparsable
from producers.parsing.timestamps import parse_moment
from schemas.printing import confirm

_PART: Final = re.compile(r'(?:"[^"]*"|[^,"])+')
_NAMED: Final = re.compile(r"([A-Za-z_]+)\s*=(.*)", re.DOTALL)
_SPEED: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)x?")


class Speed(click.ParamType):
    """`1x`, `60x` or `0.5x` times as fast as time went, or `max`."""

    name = "SPEED"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """Return the factor, None for as fast as possible."""
        written = str(value).strip().lower()
        if written == "max":
            return None
        found = _SPEED.fullmatch(written)
        if found is None or float(found[1]) == 0:
            self.fail("a speed must be a factor such as 1x, 60x or 0.5x, or max", param, ctx)
        return float(found[1])


class NamedColumns(NamedTuple):
    """Columns as a person names them: all in their order, or some by the names that they have."""

    by_position: tuple[str, ...] | None
    by_name: tuple[tuple[str, str], ...]


class Columns(click.ParamType):
    """`id,label,text` for a file without a header; `text="Tweet Text",id=tweet_id` for one with."""

    name = "COLUMNS"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> NamedColumns:
        """Return the names; columns that have any are known in lower case."""
        if isinstance(value, NamedColumns):
            return value
        parts = [part.strip() for part in _PART.findall(str(value))]
        by_name = [_NAMED.fullmatch(part) for part in parts]
        if not any(by_name):
            return NamedColumns(tuple(part.strip() for part in str(value).split(",")), ())
        mapping = {}
        for part, found in zip(parts, by_name, strict=True):
            if found is None:
                self.fail(f"{part} has no = as the others do: text=COLUMN,id=COLUMN", param, ctx)
            known, column = found[1].lower(), found[2].strip().strip('"').strip()
            if known not in COLUMNS or not column:
                names = ", ".join(COLUMNS)
                self.fail(f"{part}: before = stands one of {names}, behind it a column", param, ctx)
            if known in mapping:
                self.fail(f"{known} is named twice", param, ctx)
            mapping[known] = column
        return NamedColumns(None, tuple(mapping.items()))


class Time(click.ParamType):
    """A moment: ISO 8601, UTC where it says nothing else."""

    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment in UTC."""
        try:
            return parse_moment(value, "time")
        except Unparsable:
            self.fail("a time must look like 2022-11-08 or 2022-11-08T15:00:00Z", param, ctx)


def confirm_live(*, shift_to_now: bool) -> None:
    """Ask whether an archive is meant for the live run; raise `UsageError` where nobody is there.

    A live run's tweets cannot be told from an archive's afterwards.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("--into live changes the live figures: add --yes to confirm")
    when = "as if they were posted now" if shift_to_now else "on the days when they were posted"
    confirm(f"The archive's tweets will count among the live ones, {when}. Go on?")
