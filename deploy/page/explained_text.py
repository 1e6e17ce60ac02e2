"""A text and the weights of its words, as pieces to colour. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from model_server.explaining.explain import WeighedWord

_LEVELS: Final = 4


class TextPiece(NamedTuple):
    """A piece of a text. `level` is 0 between words, else 1 to 4 for the label, -1 to -4 against.

    It is the weight beside the largest one, so that colours can be compared within a text alone.
    """

    text: str
    level: int
    weight: float | None


def text_pieces(text: str, words: Sequence[WeighedWord]) -> list[TextPiece]:
    """Return the whole text in pieces, in its order."""
    largest = max((abs(word.weight) for word in words), default=0.0)
    pieces, at = [], 0
    for word in sorted(words, key=lambda word: word.start):
        if word.start > at:
            pieces.append(TextPiece(text[at : word.start], 0, None))
        pieces.append(
            TextPiece(text[word.start : word.end], _level(word.weight, largest), word.weight)
        )
        at = word.end
    if at < len(text):
        pieces.append(TextPiece(text[at:], 0, None))
    return pieces


def heaviest(words: Sequence[WeighedWord], most: int) -> list[WeighedWord]:
    """Return the words that weigh most, either way."""
    return sorted(words, key=lambda word: (-abs(word.weight), word.start))[:most]


def _level(weight: float, largest: float) -> int:
    if not largest:
        return 0
    level = round(_LEVELS * abs(weight) / largest)
    return level if weight > 0 else -level
