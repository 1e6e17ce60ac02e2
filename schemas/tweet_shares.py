"""Which share of the tweets one is in: decided by its id alone, so the same in every process."""

import hashlib
from typing import Final

from schemas.events import Tweet, TweetId

PLACES: Final = 10_000
"""Shares are counted in ten-thousandths."""


def text_id(tweet: Tweet) -> TweetId:
    """Return the id that stands for a tweet's text: the retweeted tweet's, else its root id."""
    retweeted = tweet.retweet_of
    return tweet.root_id if retweeted is None else retweeted.tweet_id


def place_of(tweet: Tweet, salt: str) -> int:
    """Return a tweet's place among `PLACES`, uniform and independent for each salt.

    The versions of a tweet have one place, and so have a tweet and its retweets. It is SHA-256 of
    the salt, a line feed and the id, modulo `PLACES`.
    """
    digest = hashlib.sha256(f"{salt}\n{text_id(tweet)}".encode()).digest()
    return int.from_bytes(digest[:8]) % PLACES
