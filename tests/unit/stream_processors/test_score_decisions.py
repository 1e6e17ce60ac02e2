"""Scoring by a decision: what it changes in an event, and whose events it leaves alone."""

from collections.abc import Mapping, Sequence

import hypothesis.strategies as st
import msgspec
import numpy as np
from hypothesis import given

from model_server.decisions import decide
from model_server.onnx_engine import Probabilities
from model_server.overrides.override import Override, Overrides, OverrideTests
from model_server.scorer import Scorer
from schemas.codec import encode, headers_of, key_of
from schemas.decisions import NamedDecision, named
from schemas.events import AppliedOverride, MatchedRule, TweetScored
from schemas.transport.messages import ConsumedMessage
from stream_processors.scoring.score_batch import score_window
from tests.unit.decision_examples import decision
from tests.unit.examples import LABELS, RECEIVED_AT, model, posted

CHOSEN = named(decision(biases=(-1.0, 2.0, 0.5), by_rule={"a": (3.0, 0.0, 0.0)}))


class SpreadEngine:
    """Answers each text by its length."""

    labels = LABELS

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        rows = np.array([[1 + len(text) % 5, 1 + len(text) % 3, 2.0] for text in texts])
        result: Probabilities = rows / rows.sum(axis=1, keepdims=True)
        return result


def scored(
    texts: Sequence[str],
    decisions: Mapping[str, NamedDecision],
    *,
    by: str = "a",
    rules: Sequence[str] = (),
    overrides: Overrides | None = None,
) -> list[TweetScored]:
    matched = tuple(MatchedRule(tag=rule) for rule in rules)
    events = [
        posted(text=text, tweet_id=str(n), rules=matched) for n, text in enumerate(texts, start=1)
    ]
    window = [
        ConsumedMessage("tweets.raw", 0, n, 0, key_of(event), encode(event), headers_of(event))
        for n, event in enumerate(events)
    ]
    found = score_window(
        window,
        scorer=Scorer(model(by), SpreadEngine(), cache_size=0, clean=str),
        detect_language=lambda _: None,
        now=lambda: RECEIVED_AT,
        decisions=decisions,
        overrides=overrides,
    )
    return [event for event in found if isinstance(event, TweetScored)]


@given(st.lists(st.text(max_size=9), max_size=9), st.lists(st.sampled_from("abc"), max_size=3))
def test_events_are_decided_one_by_one_and_keep_the_models_own_probabilities(
    texts: list[str], rules: list[str]
) -> None:
    texts = [text.replace("\x00", "") for text in texts]
    own = scored(texts, {}, rules=rules)
    decided = scored(texts, {"test": CHOSEN}, rules=rules)
    for before, after in zip(own, decided, strict=True):
        answer = decide(before.score.probabilities, rules, CHOSEN.decision)
        assert (after.score.label, after.score.confidence) == answer
        assert after.score.probabilities == before.score.probabilities
        assert (before.score.decision, after.score.decision) == (None, CHOSEN.id)
        assert scored([after.text], {"test": CHOSEN}, rules=rules)[0].score == after.score


def test_an_override_comes_after_the_decision_whose_label_it_keeps() -> None:
    tests = OverrideTests(changes=("a sick b",), leaves=("b",))
    override = Override(name="ill", pattern="sick", label="negative", reason="", tests=tests)
    overrides = Overrides.of([msgspec.structs.replace(override, reason="they say so")])
    texts = ["a sick day", "another day"]
    decided = scored(texts, {"test": CHOSEN})
    changed, left = scored(texts, {"test": CHOSEN}, overrides=overrides)
    assert left == decided[1]
    assert changed.score.label == "negative"
    assert changed.score.confidence == changed.score.probabilities["negative"]
    assert changed.score.decision == CHOSEN.id
    assert changed.score.override == AppliedOverride(
        name="ill",
        version=overrides.version[:16],
        label=decided[0].score.label,
        confidence=decided[0].score.confidence,
    )


def test_another_run_another_model_and_other_labels_are_left_alone() -> None:
    texts = ["a", "bb", "ccc"]
    own = scored(texts, {})
    assert scored(texts, {"other": named(decision(run="other"))}) == own
    assert scored(texts, {"test": named(decision(model_sha256="b" * 64))}) == own
    strange = named(decision(labels=("calm", "cross", "odd")))
    assert scored(texts, {"test": strange}) == own
    assert scored(texts, {"test": CHOSEN}) != own


def test_an_event_without_a_decision_is_the_one_of_older_releases() -> None:
    (event,) = scored(["a"], {})
    assert b'"decision"' not in encode(event)
