"""What is asked of X with every tweet: what labels, aggregates and deletions need, and no more."""

from typing import Final

EXPANSIONS: Final = (
    "author_id",
    "geo.place_id",
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
)
TWEET_FIELDS: Final = (
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "edit_history_tweet_ids",
    "entities",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "possibly_sensitive",
    "public_metrics",
    "referenced_tweets",
)
USER_FIELDS: Final = ("username",)


def asked_fields() -> dict[str, list[str]]:
    """Return the parameters as Tweepy's methods take them."""
    return {
        "expansions": list(EXPANSIONS),
        "tweet_fields": list(TWEET_FIELDS),
        "user_fields": list(USER_FIELDS),
    }
