"""Where emoji stand in a text, in time that grows with the text's length alone.

What is one emoji is for ever what `emoji.emoji_list` of release 2.16 says: on its words models
were trained. That function looks through all parted joiners at each character: 50,000 characters
of joined emoji take it 50 s.
"""

import re
from functools import cache
from typing import Final, NamedTuple

import emoji
from emoji.unicode_codes import STATUS

_JOINER: Final = "\u200d"
_SELECTORS: Final = ("\ufe0e", "\ufe0f")


class Span(NamedTuple):
    """From `start` up to but not at `end`, in characters."""

    start: int
    end: int


class _Piece(NamedTuple):
    """An emoji, or a character that was read as none: one that begins a longer sequence may be."""

    span: Span
    is_emoji: bool


def emoji_spans(text: str) -> list[Span]:
    """Return the emoji of a text, in order; sequences that Unicode does not list, by their parts.

    A joiner that stands behind an emoji, and with it begins no listed sequence, parts what is
    before it from what is behind it: then the emoji before it is read again without it.
    """
    return _Reading(text).spans()


class _Reading:
    """A text as it is read; `unsure` are characters and emoji that a joiner may yet undo."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._beginnings = _beginnings()
        self._at = 0
        self._parted: set[int] = set()
        self._unsure: list[_Piece] = []
        self._found: list[Span] = []

    def spans(self) -> list[Span]:
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if self._at in self._parted:
                self._at += 1
            elif character in self._beginnings:
                self._read_sequence()
            elif self._is_behind_an_emoji(character):
                self._part()
            else:
                self._read_plain()
        self._settle()
        return self._found

    def _read_sequence(self) -> None:
        """Read as far as any listed sequence goes on; what then is none is read by characters."""
        text, start, beginnings = self._text, self._at, self._beginnings
        end = start + 1
        while end < len(text) and end not in self._parted and text[start : end + 1] in beginnings:
            end += 1
        if text[start:end] in emoji.EMOJI_DATA:
            self._unsure.append(_Piece(Span(start, end), True))
            self._at = end
        else:
            self._unsure.append(_Piece(Span(start, start + 1), False))
            self._at += 1

    def _read_plain(self) -> None:
        """Go on to what may be an emoji or a joiner; only the character before it matters then."""
        self._settle()
        following = _of_interest().search(self._text, self._at + 1)
        self._at = following.start() if following else len(self._text)
        if self._text[self._at - 1] not in _SELECTORS:
            self._unsure.append(_Piece(Span(self._at - 1, self._at), False))

    def _is_behind_an_emoji(self, character: str) -> bool:
        return (
            character == _JOINER
            and bool(self._unsure)
            and self._text[slice(*self._unsure[-1].span)] in emoji.EMOJI_DATA
            and self._text[self._at - 1] in self._beginnings
        )

    def _part(self) -> None:
        self._parted.add(self._at)
        last = self._text[slice(*self._unsure[-1].span)]
        if emoji.EMOJI_DATA[last]["status"] != STATUS["component"]:
            self._at -= len(last)
            del self._unsure[-1]
            return
        # A skin tone or a kind of hair: it belongs to what is before it.
        self._at -= sum(span.end - span.start for span, _ in self._unsure[-2:])
        if self._text[self._at] == _JOINER:
            self._at += 1
            del self._unsure[-1]
        else:
            del self._unsure[-2:]

    def _settle(self) -> None:
        self._found += [span for span, is_emoji in self._unsure if is_emoji]
        self._unsure.clear()


@cache
def _beginnings() -> frozenset[str]:
    """Return every emoji and every part of one that it begins with."""
    return frozenset(
        character[:length]
        for character in emoji.EMOJI_DATA
        for length in range(1, len(character) + 1)
    )


@cache
def _of_interest() -> re.Pattern[str]:
    """Return what finds the characters that may begin an emoji, and joiners."""
    firsts = {character[0] for character in emoji.EMOJI_DATA}
    return re.compile(f"[{re.escape(''.join(sorted(firsts)))}{_JOINER}]")
