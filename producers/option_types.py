"""What people write on the command line of a replay, and what they are asked."""

import re
import sys
from datetime import datetime
from typing import Final

import click

from producers.parsing.faults import Unparsable
from producers.parsing.timestamps import parse_moment

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
    click.confirm(
        f"The archive's tweets will count among the live ones, {when}. Go on?", abort=True, err=True
    )
