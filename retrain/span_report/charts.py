"""Charts of a report as SVG elements, drawn without a library that serving does not have."""

from collections.abc import Sequence
from html import escape
from typing import Final

_WIDTH: Final = 420
_HEIGHT: Final = 220
_LEFT: Final = 44
_BOTTOM: Final = 28
_TOP: Final = 10
_RIGHT: Final = 10
_OF_LABELS: Final = {"negative": "#cf5a0c", "neutral": "#7a8594", "positive": "#1f74c4"}
"""As on the page, so that nobody reads one label for another."""

COLOURS: Final = ("#2a6f97", "#d1495b", "#6a994e", "#e09f3e", "#7b5ea7", "#9aa5ad")


def lines_chart(
    places: Sequence[float],
    series: Sequence[tuple[str, Sequence[float]]],
    *,
    first: str,
    last: str,
) -> str:
    """Draw shares over time: each series is a name and a value from 0 to 1 for each place.

    Places are from 0, under which `first` stands, to 1, under which `last` stands. Every text is
    escaped.
    """
    parts = [_axes("0 %", "100 %", first, last)]
    for number, (name, values) in enumerate(series):
        colour = _OF_LABELS.get(name.lower(), COLOURS[number % len(COLOURS)])
        points = [
            f"{_x(place):.1f},{_y(value):.1f}" for place, value in zip(places, values, strict=True)
        ]
        # A line of one point would not be seen.
        shown = " ".join(points * 2 if len(points) == 1 else points)
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round" '
            f'points="{shown}"/>{_legend(number, name, colour)}'
        )
    return _svg(parts)


def bars_chart(groups: Sequence[tuple[str, Sequence[float]]], *, first: str, last: str) -> str:
    """Draw distributions over the same bins beside each other: shares from 0 to 1."""
    most = max((share for _, shares in groups for share in shares), default=0.0) or 1.0
    parts = [_axes("0 %", f"{most:.0%}", first, last)]
    for place, (name, shares) in enumerate(groups):
        colour = COLOURS[place % len(COLOURS)]
        slot = (_WIDTH - _LEFT - _RIGHT) / max(1, len(shares))
        width = 0.8 * slot / len(groups)
        for index, share in enumerate(shares):
            top = _y(share / most)
            parts.append(
                f'<rect x="{_LEFT + index * slot + 0.1 * slot + place * width:.1f}" y="{top:.1f}" '
                f'width="{width:.1f}" height="{_y(0.0) - top:.1f}" fill="{colour}"/>'
            )
        parts.append(_legend(place, name, colour))
    return _svg(parts)


def _legend(number: int, name: str, colour: str) -> str:
    return (
        f'<text x="{_LEFT + 6}" y="{_TOP + 12 + 13 * number}" font-size="11" fill="{colour}">'
        f"{escape(name)}</text>"
    )


def _x(place: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * place


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * share


def _axes(low: str, high: str, first: str, last: str) -> str:
    base, top = _y(0.0), _y(1.0)
    right = _WIDTH - _RIGHT
    return (
        f'<path d="M{_LEFT} {top}V{base}H{right}" fill="none" stroke="#9aa5ad"/>'
        f'<g font-size="11" fill="#555">'
        f'<text x="{_LEFT - 4}" y="{base}" text-anchor="end">{escape(low)}</text>'
        f'<text x="{_LEFT - 4}" y="{top + 8}" text-anchor="end">{escape(high)}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{escape(first)}</text>'
        f'<text x="{right}" y="{_HEIGHT - 8}" text-anchor="end">{escape(last)}</text></g>'
    )


def _svg(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}</svg>'
