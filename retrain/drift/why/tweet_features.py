"""The features of a stored tweet: what is counted to say what changed. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from retrain.drift.what_changed import Feature, FeatureKind
from retrain.drift.why.function_words import is_function_word
from schemas.tweet_text import find_words, part_links

_NO_WORDS: Final = re.compile(r"[#＃@＠]\w+|&(?:amp|lt|gt|quot|#\d+);")
_APOSTROPHE: Final = re.compile(r"(?<=\w)['’](?=\w)")
_LETTER: Final = "\u02bc"
"""The apostrophe that is a letter: `don't` is one word."""


class TweetFeatures:
    """Makes features, and keeps one copy of each however many tweets have it."""

    def __init__(self) -> None:
        self._known: dict[tuple[FeatureKind, str], Feature] = {}

    def of(
        self,
        text: str,
        *,
        hashtags: Sequence[str],
        mentions: Sequence[str],
        links: Sequence[str],
        language: str | None,
        source: str,
        retweet_of: str | None,
    ) -> tuple[Feature, ...]:
        """Return a tweet's features, each once.

        Words come in lower case; hashtags, mentions, links and the function words of the language
        are no words. A link counts by its host. An unknown language is empty.
        """
        by_kind: list[tuple[FeatureKind, Iterable[str]]] = [
            (FeatureKind.WORD, _words(text, language)),
            (FeatureKind.HASHTAG, hashtags),
            (FeatureKind.MENTION, mentions),
            (FeatureKind.LINK, filter(None, map(_host, links))),
            (FeatureKind.LANGUAGE, [language or ""]),
            (FeatureKind.SOURCE, [source]),
            (FeatureKind.RETWEETED, [retweet_of] if retweet_of else []),
        ]
        return tuple(
            self._one(kind, name) for kind, names in by_kind for name in dict.fromkeys(names)
        )

    def _one(self, kind: FeatureKind, name: str) -> Feature:
        key = (kind, name)
        if key not in self._known:
            self._known[key] = Feature(kind, name)
        return self._known[key]


def _words(text: str, language: str | None) -> list[str]:
    plain = _NO_WORDS.sub(" ", part_links(text).words).casefold()
    words = find_words(_APOSTROPHE.sub(_LETTER, plain))
    found = (word.replace(_LETTER, "'") for word in words)
    return [word for word in found if not is_function_word(word, language)]


def _host(link: str) -> str:
    """Return a link's host in lower case, without `www.`; empty where it has none."""
    try:
        host = urlsplit(link).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")
