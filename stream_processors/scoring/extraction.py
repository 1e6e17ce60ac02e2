"""What can be read off a text without a model: hashtags, mentions, links, emoji, language."""

from collections.abc import Callable, Iterable
from typing import Final

import regex

from schemas.events import Extracted, TweetPosted

_MAX_ITEMS: Final = 100
_MAX_CHARS: Final = 1_000
_MAX_HASHTAG_CHARS: Final = 280

# A hashtag has a letter, does not continue a word, and is not an HTML entity's number. Simplified
# from X's own grammar (twitter-text): letters, marks, digits and underscores of any script.
_HASHTAG = regex.compile(r"(?<![\w&/])[#＃]([\p{L}\p{M}\p{Nd}_]*[\p{L}\p{M}][\p{L}\p{M}\p{Nd}_]*)")
_MENTION = regex.compile(r"(?<![\w@/])[@＠]([A-Za-z0-9_]{1,20})(?![\w@]|://)")
_LINK = regex.compile(r"https?://[^\s<>\"“”]+", regex.IGNORECASE)
_LINK_TAIL: Final = ".,;:!?'’)]}…"

# The grammar of emoji sequences in UTS #51, section 1.4.9, less single keycaps and digits: flags,
# presentation or modifier, tags, and parts joined by U+200D.
_ELEMENT = (
    r"(?:\p{Emoji_Presentation}\uFE0F?|\p{Emoji}\uFE0F|\p{Emoji_Modifier_Base})"
    r"\p{Emoji_Modifier}?[\U000E0020-\U000E007E]*\U000E007F?"
)
_JOINED = rf"(?:{_ELEMENT}|\p{{Extended_Pictographic}})"
_EMOJI = regex.compile(
    rf"\p{{Regional_Indicator}}{{2}}|[0-9#*]\uFE0F\u20E3|{_ELEMENT}(?:\u200D{_JOINED}\uFE0F?)*"
)


def extract(tweet: TweetPosted, detect_language: Callable[[str], str | None]) -> Extracted:
    """Return what the tweet's text holds, in order of appearance, each once.

    Hashtags and mentions come without their sign and in lower case (`casefold`), since X treats
    them so. The language is detected only where the tweet does not say it.
    """
    text = tweet.text
    links = _links(text) if "http" in text.lower() else ()
    # A link's fragment is no hashtag.
    words = _LINK.sub(" ", text) if links else text
    return Extracted(
        hashtags=_hashtags(words) if "#" in words or "＃" in words else (),
        mentions=_mentions(words) if "@" in words or "＠" in words else (),
        links=links,
        emoji=() if text.isascii() else _unique(_EMOJI.findall(text)),
        language=None if tweet.language else detect_language(words),
    )


def _hashtags(words: str) -> tuple[str, ...]:
    return _unique((tag.casefold() for tag in _HASHTAG.findall(words)), _MAX_HASHTAG_CHARS)


def _mentions(words: str) -> tuple[str, ...]:
    return _unique(name.casefold() for name in _MENTION.findall(words))


def _links(text: str) -> tuple[str, ...]:
    return _unique(link.rstrip(_LINK_TAIL) for link in _LINK.findall(text))


def _unique(items: Iterable[str], max_chars: int = _MAX_CHARS) -> tuple[str, ...]:
    distinct = dict.fromkeys(item for item in items if len(item) <= max_chars)
    return tuple(distinct)[:_MAX_ITEMS]
