"""The words of a text as the person wrote them, with their places."""

from collections.abc import Iterator
from typing import Final

import regex

from model_server.emoji_spans import Span, emoji_spans
from schemas.tweet_text import find_entities

_SPACE: Final = r"\s\x1c-\x1f"
_APART: Final = r"\p{Han}\p{Hiragana}\p{Katakana}ー"
_PIECE: Final = regex.compile(
    rf"\p{{Han}}\p{{M}}*+|[\p{{Hiragana}}ー]++|[\p{{Katakana}}ー]++|[^{_SPACE}{_APART}]++"
)
_PUNCTUATION: Final = regex.compile(r"\p{P}++")
# Joiners, selectors and marks that an emoji left behind: nothing that a person sees.
_SEEN: Final = regex.compile(r"[^\p{C}\p{M}]")


def words_of(text: str) -> list[Span]:
    """Return the words of a text in order; none overlaps another, and each shows something.

    A word is what stands between white space, with the punctuation that it touches. Links,
    hashtags, mentions and emoji are a word each, also where no space parts them from others. The
    same emoji several times in a row is one word, since the model reads it as one. Chinese
    characters are a word each; a run of either Japanese syllabary is one. Other scripts without
    spaces are not parted.
    """
    whole = [Span(*entity) for entity in find_entities(text)]
    taken = {at for span in whole for at in range(*span)}
    emoji = [span for span in emoji_spans(text) if taken.isdisjoint(range(*span))]
    found: list[Span] = []
    at = 0
    for span in sorted(whole + _rows_of_the_same(text, emoji)):
        found += [*_pieces(text, at, span.start), span]
        at = span.end
    found += _pieces(text, at, len(text))
    return _with_punctuation(text, found)


def _with_punctuation(text: str, found: list[Span]) -> list[Span]:
    """Join what is nothing but punctuation to the word that it touches, the one before if any."""

    def is_bare(span: Span) -> bool:
        return _PUNCTUATION.fullmatch(text, *span) is not None

    words: list[Span] = []
    for span in found:
        touches = bool(words) and words[-1].end == span.start
        if touches and (is_bare(span) or is_bare(words[-1])):
            words[-1] = Span(words[-1].start, span.end)
        else:
            words.append(span)
    return words


def _rows_of_the_same(text: str, emoji: list[Span]) -> list[Span]:
    rows: list[Span] = []
    last = ""
    for span in emoji:
        this = text[slice(*span)]
        if rows and this == last and not text[rows[-1].end : span.start].strip():
            rows[-1] = Span(rows[-1].start, span.end)
        else:
            rows.append(span)
        last = this
    return rows


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    for piece in _PIECE.finditer(text, start, end):
        if _SEEN.search(piece[0]):
            yield Span(*piece.span())
