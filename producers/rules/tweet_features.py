"""What a rule may ask of a tweet, read off the event and, where there is one, X's document."""

import re
from dataclasses import dataclass
from typing import Final

from producers.parsing.tweet_context import TweetContext
from schemas.events import TweetPosted
from schemas.tweet_text import (
    begins_with_mention,
    find_hashtags,
    find_mentions,
    find_words,
    part_links,
)

_MEDIA_LINK: Final = re.compile(r"pic\.(?:twitter|x)\.com/\w")


@dataclass(frozen=True)
class Facts:
    """A tweet as rules see it, everything in lower case."""

    text: str
    words: tuple[str, ...]
    hashtags: frozenset[str]
    mentions: frozenset[str]
    has: frozenset[str]
    kinds: frozenset[str]
    language: str | None
    authors: frozenset[str]
    addressee: str | None


def facts_of(tweet: TweetPosted, around: TweetContext) -> Facts:
    """Return the features of a tweet.

    The author's name is known only where the document has it, the addressee of a reply only where
    the text begins with it.
    """
    links, plain = part_links(tweet.text)
    hashtags = frozenset(find_hashtags(plain))
    mentions = find_mentions(plain)
    kinds = frozenset(_KINDS[reference.kind] for reference in tweet.references)
    media = tweet.tweet_id in around.with_media or _MEDIA_LINK.search(tweet.text) is not None
    present = {"links": links, "hashtags": hashtags, "mentions": mentions, "media": media}
    author = tweet.author_id
    addressed = "reply" in kinds and begins_with_mention(tweet.text)
    return Facts(
        text=" ".join(plain.casefold().split()),
        words=tuple(find_words(plain.casefold())),
        hashtags=hashtags,
        mentions=frozenset(mentions),
        has=frozenset(name for name, found in present.items() if found),
        kinds=kinds,
        language=None if tweet.language is None else tweet.language.casefold(),
        authors=frozenset(
            name for name in (author, around.usernames.get(author or "")) if name is not None
        ),
        addressee=mentions[0] if addressed and mentions else None,
    )


_KINDS: Final = {"retweeted": "retweet", "quoted": "quote", "replied_to": "reply"}
