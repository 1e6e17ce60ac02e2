"""The span that a command is about, and the one that it is compared with."""

from datetime import datetime

import click

from retrain.drift.why.compare_spans import Span, span_before


def chosen_spans(
    start: datetime, end: datetime, against: tuple[datetime, datetime] | None
) -> tuple[Span, Span]:
    """Return the span to compare with, and the span itself, of --from, --to and --against.

    Without --against it is the time of equal length before. Raises `click.BadParameter` for a span
    that does not begin before it ends, and `Failure` where there is no time before.
    """
    after = Span(start, end)
    before = Span(*against) if against else None
    for span, option in ((after, "--to"), (before, "--against")):
        if span is not None and span.start >= span.end:
            raise click.BadParameter("must be later than where the span begins", param_hint=option)
    return before or span_before(after), after
