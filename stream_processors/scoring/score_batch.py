"""One window of `tweets.raw` to what must be published for it: decided here, sent elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from model_server.engine import UnscorableTexts
from model_server.scorer import Scorer
from schemas.codec import Headers, InvalidEvent, Reason, decode_raw, run_in_headers
from schemas.events import RawEvent, Score, ScoredEvent, TweetPosted, scored
from schemas.transport.bisect import bisect
from schemas.transport.dead_letters import DeadLetter, SourcePosition, dead_letter
from stream_processors.scoring.extraction import extract

STAGE: Final = "score"
DETERMINISTIC: Final = (
    UnscorableTexts,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the same tweet will raise again: a refusal of the model's, and what pure Python code raises
of its input. A want of memory, a broken connection and an unknown fault of a library are none."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it was read, nothing of it interpreted."""

    position: SourcePosition
    key: bytes | None
    value: bytes | None
    headers: Headers


ScoringOutcome: TypeAlias = ScoredEvent | DeadLetter
"""What a message becomes: an event of `tweets.scored`, or a dead letter."""


def score_window(
    window: Sequence[Received],
    *,
    scorer: Scorer,
    detect_language: Callable[[str], str | None],
    now: Callable[[], datetime],
) -> list[ScoringOutcome]:
    """Return an outcome for each message, in order: every message has exactly one.

    Where scoring or extraction raises a fault of the tweets (`DETERMINISTIC`), the window is halved
    down to those that are to blame; they become dead letters. Any other fault is raised.
    """
    outcomes: list[ScoringOutcome | TweetPosted] = [_decode(message) for message in window]
    posts = [(n, event) for n, event in enumerate(outcomes) if isinstance(event, TweetPosted)]
    scored_at = now()

    def score(part: Sequence[tuple[int, TweetPosted]]) -> None:
        predictions = scorer.predict([post.text for _, post in part])
        for (number, post), prediction in zip(part, predictions, strict=True):
            answer = Score(
                label=prediction.label,
                confidence=prediction.confidence,
                probabilities=prediction.probabilities,
                model=scorer.identity,
                scored_at=scored_at,
            )
            outcomes[number] = scored(post, extract(post, detect_language), answer)

    for (number, _), fault in bisect(posts, score, deterministic=DETERMINISTIC):
        outcomes[number] = _refused(window[number], Reason.SCORING_FAILED, _name_of(fault))
    return [outcome for outcome in outcomes if not isinstance(outcome, TweetPosted)]


def refused_for_ending_processes(message: Received, ends: int) -> DeadLetter:
    """Return the dead letter of a message that no process survives."""
    return _refused(message, Reason.SCORING_FAILED, f"{ends} processes ended while it was scored")


def _decode(message: Received) -> RawEvent | DeadLetter:
    try:
        return decode_raw(message.value)
    except InvalidEvent as error:
        return _refused(message, error.reason, error.detail)


def _refused(message: Received, reason: Reason, detail: str) -> DeadLetter:
    return dead_letter(
        run=run_in_headers(message.headers),
        stage=STAGE,
        reason=reason,
        detail=detail,
        position=message.position,
        key=message.key,
        value=message.value,
        headers=message.headers,
    )


def _name_of(fault: Exception) -> str:
    """Return what kind of fault it was, but not its message, which may hold the text."""
    return type(fault.__cause__ or fault).__name__
