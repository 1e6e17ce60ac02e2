"""One window of `tweets.raw` to what must be published for it: decided here, sent elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from msgspec.structs import asdict

from model_server.decisions import decide, fits
from model_server.deterministic_faults import DETERMINISTIC
from model_server.scorer import Prediction, Scorer
from schemas.codec import InvalidEvent, Reason, decode_raw
from schemas.decisions import NamedDecision
from schemas.events import ModelIdentity, Score, ScoredEvent, TweetPosted, TweetScored
from schemas.transport.bisect_batch import bisect
from schemas.transport.dead_letters import DeadLetter, letter_of
from schemas.transport.messages import ConsumedMessage
from stream_processors.scoring.extraction import extract

STAGE: Final = "score"

NO_DECISIONS: Final[Mapping[str, NamedDecision]] = {}

ScoringOutcome: TypeAlias = ScoredEvent | DeadLetter
"""What a message becomes: an event of `tweets.scored`, or a dead letter."""


def score_window(
    window: Sequence[ConsumedMessage],
    *,
    scorer: Scorer,
    detect_language: Callable[[str], str | None],
    now: Callable[[], datetime],
    decisions: Mapping[str, NamedDecision] = NO_DECISIONS,
) -> list[ScoringOutcome]:
    """Return an outcome for each message, in order: every message has exactly one.

    `decisions` are those in use, by run. One of another model than the scorer's decides nothing.
    Where scoring or extraction raises a fault of the tweets (`DETERMINISTIC`), the window is halved
    down to those that are to blame; they become dead letters. Any other fault is raised.
    """
    outcomes: list[ScoringOutcome | TweetPosted] = []
    for message in window:
        try:
            outcomes.append(decode_raw(message.value))
        except InvalidEvent as error:
            outcomes.append(
                letter_of(message, stage=STAGE, reason=error.reason, detail=error.detail)
            )
    posts = [(n, event) for n, event in enumerate(outcomes) if isinstance(event, TweetPosted)]
    scored_at = now()
    applying = {
        run: named
        for run, named in decisions.items()
        if fits(
            named.decision,
            run=run,
            model_sha256=scorer.identity.sha256,
            labels=scorer.labels,
        )
    }

    def score(part: Sequence[tuple[int, TweetPosted]]) -> None:
        predictions = scorer.predict([post.text for _, post in part])
        for (number, post), prediction in zip(part, predictions, strict=True):
            extracted = extract(post, detect_language)
            rules = [rule.tag for rule in post.rules]
            answer = _answer(
                prediction,
                rules,
                applying.get(post.run),
                model=scorer.identity,
                at=scored_at,
                language_known=scorer.knows(post.language or extracted.language),
            )
            outcomes[number] = TweetScored(**asdict(post), extracted=extracted, score=answer)

    for (number, _), fault in bisect(posts, score, deterministic=DETERMINISTIC):
        outcomes[number] = letter_of(
            window[number], stage=STAGE, reason=Reason.SCORING_FAILED, detail=_name_of(fault)
        )
    return [outcome for outcome in outcomes if not isinstance(outcome, TweetPosted)]


def _answer(
    prediction: Prediction,
    rules: Sequence[str],
    named: NamedDecision | None,
    *,
    model: ModelIdentity,
    at: datetime,
    language_known: bool | None,
) -> Score:
    label, confidence = prediction.label, prediction.confidence
    if named is not None:
        label, confidence = decide(prediction.probabilities, rules, named.decision)
    return Score(
        label=label,
        confidence=confidence,
        probabilities=prediction.probabilities,
        model=model,
        scored_at=at,
        language_known=language_known,
        decision=named.id if named is not None else None,
    )


def refused_for_ending_processes(message: ConsumedMessage, ends: int) -> DeadLetter:
    """Return the dead letter of a message that no process survives."""
    detail = f"{ends} processes ended while it was scored"
    return letter_of(message, stage=STAGE, reason=Reason.SCORING_FAILED, detail=detail)


def _name_of(fault: Exception) -> str:
    """Return what kind of fault it was, but not its message, which may hold the text."""
    return type(fault.__cause__ or fault).__name__
