"""How each label looks: a colour and a mark, so that nobody has to tell colours apart.

The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), darker or lighter for
contrast; they stand in `static/page.css`.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple


class LabelLook(NamedTuple):
    """A class of the style sheet and a character."""

    style: str
    mark: str


_KNOWN: Final = {
    "negative": LabelLook("l-negative", "▼"),
    "neutral": LabelLook("l-neutral", "●"),
    "positive": LabelLook("l-positive", "▲"),
}
_OTHERS: Final = tuple(
    LabelLook(f"l-{number}", mark) for number, mark in enumerate("◆■★✚✖⬟◗◢", start=1)
)


def look_of(label: str) -> LabelLook:
    """Return the look of a label; one that is not known gets it by its name, always the same."""
    known = _KNOWN.get(label.lower())
    return known or _OTHERS[sum(label.encode()) % len(_OTHERS)]


def in_order(labels: Iterable[str]) -> list[str]:
    """Return labels from the worst to the best, and others by their names."""
    place = {name: number for number, name in enumerate(_KNOWN)}
    return sorted(set(labels), key=lambda label: (place.get(label.lower(), len(place)), label))
