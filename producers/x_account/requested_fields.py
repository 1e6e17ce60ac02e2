"""What is asked of X with every tweet, and in which words: what labels, aggregates and deletions
need, and no more.

X has two vocabularies (`producers.x_api.v2_json_types`). The name of the parameter says which is
meant:
`tweet.fields` has `note_tweet`, `referenced_tweets` and `author_id`; `post.fields` has `note_post`,
while authors, references and versions come by `expansions` alone. Which of them an endpoint knows
stands in one table, in the order in which they are tried.
Source: X's OpenAPI 2.167 and 2.168 (2026), and what projects measured with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Endpoint(StrEnum):
    """Where posts are asked for, by the path below X's address."""

    FILTERED_STREAM = "2/tweets/search/stream"
    RECENT_SEARCH = "2/tweets/search/recent"


@dataclass(frozen=True)
class Question:
    """One way of asking. `name` is what people read; the parameters are as they are sent."""

    name: str
    parameters: Mapping[str, tuple[str, ...]]

    def encoded(self) -> dict[str, str]:
        """Return the parameters of the request."""
        return {name: ",".join(values) for name, values in self.parameters.items()}


_BOTH: Final = (
    "attachments",
    "conversation_id",
    "created_at",
    "entities",
    "lang",
    "possibly_sensitive",
    "public_metrics",
)
_TWEET_FIELDS: Final = (
    *_BOTH,
    "author_id",
    "edit_history_tweet_ids",
    "in_reply_to_user_id",
    "note_tweet",
    "referenced_tweets",
)
_POST_FIELDS: Final = (*_BOTH, "note_post")
_USER_FIELDS: Final = ("username",)
_TWEET_EXPANSIONS: Final = (
    "author_id",
    "geo.place_id",
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
)
_POST_EXPANSIONS: Final = (
    "author_id",
    "edit_history_post_ids",
    "geo.place_id",
    "in_reply_to_user_id",
    "referenced_posts",
)


def _question(name: str, parameter: str, fields: tuple[str, ...], *expansions: str) -> Question:
    return Question(
        name, {"expansions": expansions, parameter: fields, "user.fields": _USER_FIELDS}
    )


_TWEETS: Final = _question("tweets", "tweet.fields", _TWEET_FIELDS, *_TWEET_EXPANSIONS)
_POSTS: Final = _question("posts", "post.fields", _POST_FIELDS, *_POST_EXPANSIONS)
_TWEETS_AND_POSTS: Final = _question(
    "tweets, with the expansions of posts",
    "tweet.fields",
    _TWEET_FIELDS,
    *_TWEET_EXPANSIONS,
    *(each for each in _POST_EXPANSIONS if each not in _TWEET_EXPANSIONS),
)

QUESTIONS: Final[Mapping[Endpoint, tuple[Question, ...]]] = {
    # Streams know `tweet.fields` and the expansions of posts; an unknown expansion costs nothing.
    Endpoint.FILTERED_STREAM: (_TWEETS_AND_POSTS, _TWEETS, _POSTS),
    Endpoint.RECENT_SEARCH: (_POSTS, _TWEETS),
}
"""How each endpoint is asked: the first question that it answers whole."""
