"""Tweets hour by hour, as the demo makes them up, and what each was written to say."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from deploy.demo.full.new_speech import NEW_TOPICS
from deploy.demo.texts import TextMaker
from deploy.demo.vocabulary import TOPICS, Topic
from deploy.demo.x_v2_lines import snowflake
from schemas.codec import encode, headers_of, key_of
from schemas.events import MatchedRule, TweetPosted
from schemas.transport.publisher import ConfirmingPublisher

RUN: Final = "full-demo"
BEGAN_AT: Final = datetime(2024, 5, 20, tzinfo=UTC)
TWEETS_AN_HOUR: Final = 100
SEED: Final = 2024

AS_USUAL: Final = TOPICS
CHANGED: Final = TOPICS + NEW_TOPICS * (len(TOPICS) // len(NEW_TOPICS))
"""Half of the tweets speak as before, the other half in a way that the model has not met."""

_USERS: Final = 200
_INTERVAL: Final = timedelta(hours=1) / TWEETS_AN_HOUR


@dataclass
class Written:
    """What was written so far: by the id of each tweet its mood, and which came after the change.

    The mood is None where the maker knows none: a tweet in another language than English.
    """

    moods: dict[str, str | None] = field(default_factory=dict)
    after_change: set[str] = field(default_factory=set)


class ChangingStream:
    """Makes tweets, a hundred an hour of their own time, none with the text of another."""

    def __init__(self, seed: int = SEED) -> None:
        rng = random.Random(seed)  # noqa: S311  samples, no secrets
        self._texts = TextMaker(rng, [f"reader_{number}" for number in range(_USERS)])
        self._users = rng
        self.written = Written()

    def next(self, count: int, topics: Sequence[Topic], received_at: datetime) -> list[TweetPosted]:
        """Return the next tweets of these topics, as they were received at a moment."""
        return [self._next(topics, received_at) for _ in range(count)]

    def _next(self, topics: Sequence[Topic], received_at: datetime) -> TweetPosted:
        number = len(self.written.moods)
        posted_at = BEGAN_AT + number * _INTERVAL
        tweet_id = snowflake(posted_at, number % (1 << 22))
        said = self._texts.make(topics)
        self.written.moods[tweet_id] = said.mood
        if topics is not AS_USUAL:
            self.written.after_change.add(tweet_id)
        return TweetPosted(
            run=RUN,
            tweet_id=tweet_id,
            root_id=tweet_id,
            posted_at=posted_at,
            received_at=received_at,
            text=said.text,
            language=said.language,
            author_id=str(1_000 + self._users.randrange(_USERS)),
            rules=tuple(MatchedRule(tag=rule) for rule in said.rules),
            source="demo",
        )


def publish(publisher: ConfirmingPublisher, topic: str, tweets: Sequence[TweetPosted]) -> None:
    """Return when Kafka has all tweets; raise `DeliveryFailed`."""
    for tweet in tweets:
        publisher.publish(topic, key=key_of(tweet), value=encode(tweet), headers=headers_of(tweet))
    publisher.confirm()
