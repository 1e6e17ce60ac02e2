"""What can be read off a text without a model: hashtags, mentions, links, emoji, language."""

from collections.abc import Callable, Sequence
from typing import Final

import regex

from schemas.events import Extracted, TweetPosted
from schemas.tweet_text import find_hashtags, find_mentions, part_links

_MAX_ITEMS: Final = 100
_MAX_CHARS: Final = 1_000
_MAX_HASHTAG_CHARS: Final = 280

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

    Hashtags and mentions come without their sign and in lower case. The language is detected only
    where the tweet does not say it.
    """
    text = tweet.text
    links, words = part_links(text)
    return Extracted(
        hashtags=_unique(find_hashtags(words), _MAX_HASHTAG_CHARS),
        mentions=_unique(find_mentions(words)),
        links=_unique(links),
        emoji=() if text.isascii() else _unique(_EMOJI.findall(text)),
        language=None if tweet.language else detect_language(words),
    )


def _unique(items: Sequence[str], max_chars: int = _MAX_CHARS) -> tuple[str, ...]:
    if not items:
        return ()
    distinct = dict.fromkeys(item for item in items if len(item) <= max_chars)
    return tuple(distinct)[:_MAX_ITEMS]
