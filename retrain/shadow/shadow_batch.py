"""Messages of `tweets.scored` to pairs of answers: pure, but for the model."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from model_server.deterministic_faults import DETERMINISTIC
from model_server.scorer import Scorer
from schemas.codec import InvalidEvent, decode_scored
from schemas.events import Score, TweetScored
from schemas.shadow_events import TweetShadowed
from schemas.transport.bisect_batch import bisect
from schemas.transport.log_proof import LastMessage, last_message
from schemas.transport.messages import ConsumedMessage, Partition
from schemas.tweet_shares import PLACES, place_of

_SALT: Final = "murmur-shadow"
"""The sample is independent of audits and of the arms of a split."""


@dataclass(frozen=True)
class Pair:
    """A scored tweet and what the challenger says of it."""

    tweet: TweetScored
    event: TweetShadowed

    @property
    def flips(self) -> bool:
        """Whether both models give it different labels."""
        return self.event.label != self.event.challenger.label


@dataclass
class ShadowBatch:
    """What one poll returned. `outcomes` has what is not compared, and why."""

    pairs: list[Pair] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    last_messages: dict[Partition, LastMessage] = field(default_factory=dict)


def is_sampled(tweet: TweetScored, share: float) -> bool:
    """Tell whether a tweet is of the sample: by its id alone, and never a retweet.

    What many repeat is one text, and its answer one answer.
    """
    return tweet.retweet_of is None and place_of(tweet, _SALT) < share * PLACES


def read_shadow_batch(
    messages: Sequence[ConsumedMessage],
    challenger: Scorer,
    *,
    share: float,
    now: Callable[[], datetime],
) -> ShadowBatch:
    """Decode messages in their order, and have the challenger score those of the sample.

    What the challenger itself scored needs no comparison. Faults of single texts
    (`DETERMINISTIC`) are isolated; any other one is raised.
    """
    batch = ShadowBatch()
    last: dict[Partition, ConsumedMessage] = {}
    sampled: list[TweetScored] = []
    for message in messages:
        last[message.topic, message.partition] = message
        try:
            event = decode_scored(message.value)
        except InvalidEvent:
            batch.outcomes["invalid"] += 1
            continue
        if not isinstance(event, TweetScored):
            batch.outcomes["removal"] += 1
        elif event.score.model.sha256 == challenger.identity.sha256 or not is_sampled(event, share):
            batch.outcomes["not-sampled"] += 1
        else:
            sampled.append(event)
    scored_at = now()

    def compare(part: Sequence[TweetScored]) -> None:
        predictions = challenger.predict([tweet.text for tweet in part])
        for tweet, prediction in zip(part, predictions, strict=True):
            own = tweet.score.probabilities
            label = max(own, key=lambda each: own[each])
            batch.pairs.append(
                Pair(
                    tweet,
                    TweetShadowed(
                        run=tweet.run,
                        tweet_id=tweet.tweet_id,
                        root_id=tweet.root_id,
                        version=tweet.version,
                        posted_at=tweet.posted_at,
                        label=label,
                        confidence=own[label],
                        model=tweet.score.model,
                        challenger=Score(
                            label=prediction.label,
                            confidence=prediction.confidence,
                            probabilities=prediction.probabilities,
                            model=challenger.identity,
                            scored_at=scored_at,
                            language_known=challenger.knows(
                                tweet.language or tweet.extracted.language
                            ),
                        ),
                    ),
                )
            )

    batch.outcomes["unscorable"] += len(bisect(sampled, compare, deterministic=DETERMINISTIC))
    batch.next_offsets = {at: message.offset + 1 for at, message in last.items()}
    batch.last_messages = {at: last_message(message) for at, message in last.items()}
    return batch
