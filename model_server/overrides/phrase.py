"""A phrase, and whether it stands in a text. Pure; no pattern makes a text dear."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from model_server.emoji_spans import emoji_spans
from schemas.tweet_text import find_entities, find_words

MAX_PHRASE_WORDS: Final = 16
_ANY_ENDING: Final = "*"


class UnusablePhrase(ValueError):
    """The message says what a phrase needs."""


@dataclass(frozen=True)
class Phrase:
    """Words and emoji that stand one behind the other; of some the beginning is enough."""

    words: tuple[tuple[str, bool], ...]

    def stands_in(self, found: list[str]) -> bool:
        """Tell whether the phrase is part of what `phrase_words` returns of a text."""
        last = len(found) - len(self.words)
        return any(self._stands_at(found, start) for start in range(last + 1))

    def _stands_at(self, found: list[str], start: int) -> bool:
        return all(
            found[start + place].startswith(word) if any_ending else found[start + place] == word
            for place, (word, any_ending) in enumerate(self.words)
        )


def parse_phrase(pattern: str) -> Phrase:
    """Return the phrase of a pattern; raise `UnusablePhrase`.

    Case does not matter. `*` at the end of a word stands for any ending: `sick*` is found in
    "sickest".
    """
    words: list[tuple[str, bool]] = []
    for part in pattern.split():
        found = phrase_words(part.removesuffix(_ANY_ENDING))
        if not found or _ANY_ENDING in part[:-1]:
            raise UnusablePhrase(
                f"{part!r} is not a word, a hashtag or an emoji (`*` may end a word)"
            )
        words += [(word, False) for word in found[:-1]]
        words.append((found[-1], part.endswith(_ANY_ENDING)))
    if not 1 <= len(words) <= MAX_PHRASE_WORDS:
        raise UnusablePhrase(f"a pattern has 1 to {MAX_PHRASE_WORDS} words")
    return Phrase(tuple(words))


def phrase_words(text: str) -> list[str]:
    """Return the words and emoji of a text as phrases are compared with them.

    Punctuation and the sign of a hashtag are left out; so are links and mentions.
    """
    text = unicodedata.normalize("NFC", text)
    pieces = list(text)
    for start, end in find_entities(text):
        if text[start] not in "#＃":
            pieces[start:end] = " " * (end - start)
    text = "".join(pieces)
    words: list[str] = []
    at = 0
    for start, end in emoji_spans(text):
        words += [*find_words(text[at:start].casefold()), text[start:end].rstrip("\ufe0f")]
        at = end
    return words + find_words(text[at:].casefold())
