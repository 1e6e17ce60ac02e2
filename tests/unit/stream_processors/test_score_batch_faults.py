"""A tweet that cannot be scored becomes a dead letter; its neighbours do not notice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server.onnx_engine import Probabilities, UnscorableTexts
from model_server.scorer import Scorer
from schemas.codec import Reason, encode, headers_of
from schemas.events import Event, TweetScored
from schemas.transport.dead_letters import DeadLetter
from schemas.transport.messages import ConsumedMessage
from stream_processors.scoring.score_batch import ScoringOutcome, score_window
from tests.unit.examples import LABELS, RECEIVED_AT, deleted, model, posted

POISON = "poison"


@dataclass
class PickyEngine:
    """An engine that raises `fault` for a batch with a poisonous text in it."""

    fault: Exception
    labels: tuple[str, ...] = LABELS

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        if any(POISON in text for text in texts):
            raise self.fault
        return np.full((len(texts), len(self.labels)), 1 / len(self.labels))


def no_language(_text: str) -> str | None:
    return None


def outcomes(
    texts: Sequence[str],
    fault: Exception,
    detect_language: Callable[[str], str | None] = no_language,
) -> list[ScoringOutcome]:
    events: list[Event] = [
        *(posted(text=text, tweet_id=str(800000000000000000 + n)) for n, text in enumerate(texts)),
        deleted(),
    ]
    window = [
        ConsumedMessage("tweets.raw", 0, n, 0, b"key", encode(event), headers_of(event))
        for n, event in enumerate(events)
    ]
    return score_window(
        window,
        scorer=Scorer(model(), PickyEngine(fault), cache_size=0, clean=str),
        detect_language=detect_language,
        now=lambda: RECEIVED_AT,
    )


@given(st.lists(st.booleans(), max_size=60))
def test_exactly_the_unscorable_tweets_become_dead_letters_in_their_place(bad: list[bool]) -> None:
    texts = [f"{POISON} {n}" if is_bad else f"good {n}" for n, is_bad in enumerate(bad)]
    found = outcomes(texts, UnscorableTexts("no"))
    assert len(found) == len(bad) + 1
    for number, is_bad in enumerate(bad):
        outcome = found[number]
        if is_bad:
            assert isinstance(outcome, DeadLetter)
            assert (outcome.reason, outcome.position.offset) == (Reason.SCORING_FAILED, number)
        else:
            assert isinstance(outcome, TweetScored)
            assert outcome.text == texts[number]


def test_a_fault_of_extraction_is_the_tweets_own_and_names_no_text() -> None:
    def fails_on_b(text: str) -> str | None:
        if text == "b":
            raise UnicodeEncodeError("utf-8", text, 0, 1, "no")
        return "en"

    found = outcomes(["a", "b", "c"], MemoryError(), fails_on_b)
    letters = [outcome for outcome in found if isinstance(outcome, DeadLetter)]
    assert [(letter.reason, letter.detail) for letter in letters] == [
        (Reason.SCORING_FAILED, "UnicodeEncodeError")
    ]


@pytest.mark.parametrize("fault", [MemoryError(), ConnectionError(), RuntimeError("allocation")])
def test_what_may_be_the_machines_fault_ends_the_window(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        outcomes(["good", POISON], fault)
