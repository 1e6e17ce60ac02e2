"""A moment on the command line, the same for every command."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from schemas.failures import Failure

UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST: Final = timedelta(days=3650)
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,6})([mhdw])")


class InvalidMoment(Failure):
    """A text that names no moment."""


def parse_length(text: str) -> timedelta | None:
    """Return the length of time of a text like `30m`, `6h`, `1d` or `2w`; None for others.

    The longest is ten years.
    """
    match = _LENGTH.fullmatch(text)
    length = int(match[1]) * UNITS[match[2]] if match else None
    return None if length is None or length > LONGEST else length


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment of a text, in UTC; raise `InvalidMoment`.

    It is a date, a date and time (UTC unless it says), or `2h` (ago), whose minute has begun:
    figures are by minute.
    """
    length = parse_length(text)
    if length is not None:
        return (now - length).replace(second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidMoment(
            f"{text!r} is not a valid time: use 2026-11-21, 2026-11-21T10:30 or 2h (ago)"
        ) from None


class Moment(click.ParamType):
    """The type of an option that names a moment, as `parse_moment` reads it."""

    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(str(value), datetime.now(UTC))
        except InvalidMoment as error:
            self.fail(str(error), param, ctx)


class Length(click.ParamType):
    """The type of an option that names a length of time, as `parse_length` reads it."""

    name = "LENGTH"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the length."""
        length = value if isinstance(value, timedelta) else parse_length(str(value))
        if length is None:
            self.fail(f"{value!r} is not a valid length: use 30m, 6h, 7d or 2w", param, ctx)
        return length
