"""Lines of X's API v2 for benchmarks, from a sparse one to all that a stream may be asked for."""

from typing import Any, Final

import msgspec

_FIRST_ID: Final = 1_590_000_000_000_000_000
_IDS_APART: Final = 4_000_000_000

_SPARSE: Final[dict[str, Any]] = {
    "data": {"id": "1590000000000000031", "text": "a few words and no more"}
}
_TWEET: Final[dict[str, Any]] = {
    "id": "1590000000000000031",
    "text": "The 8:14 is late again, and nobody at the station knows why. #trains @northern 😠",
    "created_at": "2022-11-08T15:15:15.000Z",
    "author_id": "2244994945",
    "lang": "en",
    "conversation_id": "1590000000000000031",
    "edit_history_tweet_ids": ["1590000000000000031"],
    "possibly_sensitive": False,
    "public_metrics": {
        "retweet_count": 3,
        "reply_count": 1,
        "like_count": 12,
        "quote_count": 0,
        "impression_count": 954,
        "bookmark_count": 1,
    },
    "entities": {
        "hashtags": [{"start": 60, "end": 67, "tag": "trains"}],
        "mentions": [{"start": 68, "end": 77, "username": "northern", "id": "22449949"}],
        "annotations": [
            {"start": 4, "end": 7, "probability": 0.51, "type": "Other", "normalized_text": "8:14"}
        ],
    },
}
_USER: Final[dict[str, Any]] = {
    "id": "2244994945",
    "name": "Somebody",
    "username": "somebody",
    "verified": False,
    "created_at": "2013-12-14T04:35:55.000Z",
    "description": "Writes about trains, mostly late.",
    "public_metrics": {"followers_count": 514, "following_count": 203, "tweet_count": 4021},
}
_RULES: Final = [{"id": "1590000000000000001", "tag": "trains"}]

LINES: Final[dict[str, dict[str, Any]]] = {
    "sparse": _SPARSE,
    "plain": {
        "data": {
            name: _TWEET[name]
            for name in ("id", "text", "created_at", "author_id", "lang", "edit_history_tweet_ids")
        },
        "matching_rules": _RULES,
    },
    "full": {"data": _TWEET, "includes": {"users": [_USER]}, "matching_rules": _RULES},
    "retweet": {
        "data": {
            **_TWEET,
            "text": "RT @somebody: The 8:14 is late again, and nobody at the station kno…",
            "referenced_tweets": [{"type": "retweeted", "id": "1589000000000000031"}],
        },
        "includes": {"users": [_USER, _USER], "tweets": [{**_TWEET, "id": "1589000000000000031"}]},
        "matching_rules": _RULES,
    },
}


def line_number(number: int) -> bytes:
    """Return a line with an id of its own, the kinds in turn."""
    kinds = ("plain", "full", "retweet", "full")
    raw = _ENCODED[kinds[number % len(kinds)]]
    return raw.replace(_PLACE, str(_FIRST_ID + number * _IDS_APART).encode())


_PLACE: Final = b"1590000000000000031"
_ENCODED: Final = {name: msgspec.json.encode(line) + b"\n" for name, line in LINES.items()}
