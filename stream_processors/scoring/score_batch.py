"""One window of `tweets.raw` to what must be published for it: decided here, sent elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

from msgspec.structs import asdict

from model_server.decisions import decide, fits
from model_server.deterministic_faults import DETERMINISTIC
from model_server.overrides.apply_override import Overridden, apply_override
from model_server.overrides.override import Overrides
from model_server.scorer import Prediction, Scorer
from model_server.split import Arm, Split
from schemas.codec import InvalidEvent, Reason, decode_raw
from schemas.decisions import NamedDecision
from schemas.events import ModelIdentity, Score, ScoredEvent, TweetPosted, TweetScored
from schemas.transport.bisect_batch import bisect
from schemas.transport.dead_letters import DeadLetter, letter_of
from schemas.transport.messages import ConsumedMessage
from schemas.tweet_shares import PLACES
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
    overrides: Overrides | None = None,
    split: Split | None = None,
) -> list[ScoringOutcome]:
    """Return an outcome for each message, in order: every message has exactly one.

    `decisions` are those in use, by run. One of another model than the scorer's decides nothing.
    With a `split`, each tweet is scored by the model of its arm. `overrides` come last.
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
    arms = split.arms if split is not None else (Arm("", scorer, PLACES),)
    applying = {arm.name: _applying(decisions, arm.scorer) for arm in arms}

    def score(part: Sequence[tuple[int, TweetPosted]]) -> None:
        by_arm: dict[str, list[tuple[int, TweetPosted]]] = {arm.name: [] for arm in arms}
        for number, post in part:
            by_arm[split.arm_of(post).name if split is not None else ""].append((number, post))
        for arm in arms:
            if by_arm[arm.name]:
                score_by(arm, by_arm[arm.name])

    def score_by(arm: Arm, part: Sequence[tuple[int, TweetPosted]]) -> None:
        predictions = arm.scorer.predict([post.text for _, post in part])
        for (number, post), prediction in zip(part, predictions, strict=True):
            extracted = extract(post, detect_language)
            rules = [rule.tag for rule in post.rules]
            language = post.language or extracted.language
            answer = _answer(
                prediction,
                rules,
                applying[arm.name].get(post.run),
                model=arm.scorer.identity,
                at=scored_at,
                language_known=arm.scorer.knows(language),
                override=partial(apply_override, overrides, post.text, language, rules),
                arm=arm.name or None,
            )
            outcomes[number] = TweetScored(**asdict(post), extracted=extracted, score=answer)

    for (number, _), fault in bisect(posts, score, deterministic=DETERMINISTIC):
        outcomes[number] = letter_of(
            window[number], stage=STAGE, reason=Reason.SCORING_FAILED, detail=_name_of(fault)
        )
    return [outcome for outcome in outcomes if not isinstance(outcome, TweetPosted)]


def _applying(
    decisions: Mapping[str, NamedDecision], scorer: Scorer
) -> Mapping[str, NamedDecision]:
    return {
        run: named
        for run, named in decisions.items()
        if fits(
            named.decision,
            run=run,
            model_sha256=scorer.identity.sha256,
            labels=scorer.labels,
        )
    }


def _answer(
    prediction: Prediction,
    rules: Sequence[str],
    named: NamedDecision | None,
    *,
    model: ModelIdentity,
    at: datetime,
    language_known: bool | None,
    override: Callable[..., Overridden],
    arm: str | None,
) -> Score:
    label, confidence = prediction.label, prediction.confidence
    if named is not None:
        label, confidence = decide(prediction.probabilities, rules, named.decision)
    counting = override(label=label, confidence=confidence, probabilities=prediction.probabilities)
    return Score(
        label=counting.label,
        confidence=counting.confidence,
        probabilities=prediction.probabilities,
        model=model,
        scored_at=at,
        language_known=language_known,
        decision=named.id if named is not None else None,
        override=counting.override,
        arm=arm,
    )


def refused_for_ending_processes(message: ConsumedMessage, ends: int) -> DeadLetter:
    """Return the dead letter of a message that no process survives."""
    detail = f"{ends} processes ended while it was scored"
    return letter_of(message, stage=STAGE, reason=Reason.SCORING_FAILED, detail=detail)


def _name_of(fault: Exception) -> str:
    """Return what kind of fault it was, but not its message, which may hold the text."""
    return type(fault.__cause__ or fault).__name__
