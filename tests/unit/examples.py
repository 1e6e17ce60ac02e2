"""Events for tests: everything has a value, and a test names only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import asdict

from schemas.events import (
    Extracted,
    ModelIdentity,
    Score,
    TweetDeleted,
    TweetPosted,
    TweetScored,
)

RECEIVED_AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
POSTED_AT = datetime(2016, 11, 19, 15, 37, 17, 938000, tzinfo=UTC)
TWEET_ID = "800000000000000000"
LABELS = ("negative", "neutral", "positive")


def posted(**fields: Any) -> TweetPosted:
    """Return a posted tweet; `root_id` follows `tweet_id` unless it is given."""
    tweet_id = fields.setdefault("tweet_id", TWEET_ID)
    fields.setdefault("root_id", tweet_id)
    fields.setdefault("run", "test")
    fields.setdefault("posted_at", POSTED_AT)
    fields.setdefault("received_at", RECEIVED_AT)
    fields.setdefault("text", "what a day")
    fields.setdefault("source", "test")
    return TweetPosted(**fields)


def model(name: str = "a") -> ModelIdentity:
    """Return a model's identity; the hash follows the name."""
    return ModelIdentity(
        name=name, version="1", sha256=name.encode().hex().ljust(64, "0")[:64], cleaning="1"
    )


def scored_tweet(
    label: str = "positive",
    confidence: float = 0.8,
    *,
    by: str = "a",
    labels: Sequence[str] = LABELS,
    hashtags: tuple[str, ...] = (),
    language_known: bool | None = None,
    **fields: Any,
) -> TweetScored:
    """Return a scored tweet of a model with these labels, and with `label`."""
    names = list(dict.fromkeys([*labels, label]))
    rest = round((1 - confidence) / (len(names) - 1), 6)
    probabilities = {name: confidence if name == label else rest for name in names}
    score = Score(
        label=label,
        confidence=confidence,
        probabilities=probabilities,
        model=model(by),
        scored_at=RECEIVED_AT,
        language_known=language_known,
    )
    extracted = Extracted(hashtags=hashtags)
    return TweetScored(**asdict(posted(**fields)), extracted=extracted, score=score)


def deleted(tweet_id: str = TWEET_ID, run: str = "test") -> TweetDeleted:
    """Return a deletion."""
    return TweetDeleted(run=run, tweet_id=tweet_id, received_at=RECEIVED_AT, source="test")
