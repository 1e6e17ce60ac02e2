"""A moment on the command line."""

from datetime import UTC, datetime

import click


class UtcTime(click.ParamType):
    """A moment: ISO 8601, UTC where it says nothing else."""

    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("a time must look like 2022-11-08 or 2022-11-08T15:00:00Z", param, ctx)
