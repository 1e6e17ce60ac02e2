"""A signal over time as a line, beside what is expected of it. Pure.

A plot is 1,000 units wide and 100 high, as those of `charts.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from deploy.page.charts import HEIGHT, WIDTH


class LinePlot(NamedTuple):
    """Two lines as paths of an SVG; `low` and `high` are the values at its edges."""

    line: str
    expected: str
    low: float
    high: float


def line_plot(values: Sequence[float], expected: Sequence[float | None]) -> LinePlot:
    """Return the plot of a series; where nothing is expected the second line has a gap."""
    known = [*values, *(each for each in expected if each is not None)]
    if not known:
        return LinePlot("", "", 0.0, 0.0)
    low, high = min(known), max(known)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    return LinePlot(_path(values, low, high), _path(expected, low, high), min(known), max(known))


def _path(values: Sequence[float | None], low: float, high: float) -> str:
    step = WIDTH / max(len(values) - 1, 1)
    parts = []
    pen_down = False
    for number, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        y = HEIGHT * (1 - (value - low) / (high - low))
        parts.append(f"{'L' if pen_down else 'M'}{number * step:.1f} {y:.1f}")
        if len(values) == 1:
            parts.append(f"H{WIDTH:.0f}")
        pen_down = True
    return "".join(parts)
