"""One window of `tweets.raw` to what must be published for it: decided here, sent elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from model_server.scorer import Scorer
from schemas.codec import Headers, InvalidEvent, decode_raw, run_in_headers
from schemas.events import RawEvent, Score, ScoredEvent, TweetPosted, scored
from schemas.transport.dead_letters import DeadLetter, SourcePosition, dead_letter
from stream_processors.extraction import extract

STAGE: Final = "score"


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it was read, nothing of it interpreted."""

    position: SourcePosition
    key: bytes | None
    value: bytes | None
    headers: Headers


Outcome: TypeAlias = ScoredEvent | DeadLetter
"""What a message becomes: an event of `tweets.scored`, or a dead letter."""


def score_window(
    window: Sequence[Received],
    *,
    scorer: Scorer,
    detect_language: Callable[[str], str | None],
    now: Callable[[], datetime],
) -> list[Outcome]:
    """Return an outcome for each message, in order: every message has exactly one."""
    decoded = [_decode(message) for message in window]
    posts = [event for event in decoded if isinstance(event, TweetPosted)]
    predictions = iter(scorer.predict([post.text for post in posts]))
    scored_at = now()
    outcomes: list[Outcome] = []
    for event in decoded:
        if not isinstance(event, TweetPosted):
            outcomes.append(event)
            continue
        prediction = next(predictions)
        score = Score(
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=prediction.probabilities,
            model=scorer.identity,
            scored_at=scored_at,
        )
        outcomes.append(scored(event, extract(event, detect_language), score))
    return outcomes


def _decode(message: Received) -> RawEvent | DeadLetter:
    try:
        return decode_raw(message.value)
    except InvalidEvent as error:
        return dead_letter(
            run=run_in_headers(message.headers),
            stage=STAGE,
            reason=error.reason,
            detail=error.detail,
            position=message.position,
            key=message.key,
            value=message.value,
            headers=message.headers,
        )
