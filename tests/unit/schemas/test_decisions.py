"""The identity of a decision, and what is no decision."""

import json

import msgspec
import pytest

from schemas.codec import InvalidEvent
from schemas.decisions import (
    DecisionChosen,
    canonical_json,
    decision_id,
    decision_of_json,
    decode_chosen,
    encode_chosen,
)
from tests.unit.decision_examples import FITTED_AT, decision


def test_the_id_is_of_what_a_decision_says_and_not_of_how_it_was_written() -> None:
    one = decision(by_rule={"a": (1.0, 0.0, 0.0), "b": (0.1, 0.2, 0.3)})
    other = decision(by_rule={"b": (0.1, 0.2, 0.3), "a": (1.0, 0.0, 0.0)})
    spaced = json.dumps(json.loads(canonical_json(one)), indent=1)
    assert decision_id(one) == decision_id(other) == decision_id(decision_of_json(spaced))
    assert len(decision_id(one)) == 16
    assert decision_id(one) != decision_id(decision(by_rule={"a": (1.0, 0.0, 0.0)}))


def test_an_event_reads_back_whole() -> None:
    event = DecisionChosen(decision=decision(), chosen_at=FITTED_AT)
    assert decode_chosen(encode_chosen(event)) == event


def test_an_old_reader_reads_an_event_of_a_newer_release() -> None:
    event = DecisionChosen(decision=decision(), chosen_at=FITTED_AT)
    newer = json.loads(encode_chosen(event))
    newer["decision"]["tone"] = newer["why"] = "later"
    assert decode_chosen(msgspec.json.encode(newer)) == event


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"\xff", b"{}", b"[" * 100_000, b'{"type":"DecisionChosen"}', b"x" * 600_000],
    ids=["empty", "cut", "no UTF-8", "no fields", "deep", "no decision", "large"],
)
def test_what_is_no_decision_is_refused_in_one_way(value: bytes) -> None:
    with pytest.raises(InvalidEvent):
        decode_chosen(value)


def test_a_decision_with_biases_that_do_not_fit_is_refused_when_it_is_read() -> None:
    value = encode_chosen(DecisionChosen(decision=decision(), chosen_at=FITTED_AT))
    with pytest.raises(InvalidEvent, match="one bias for each label"):
        decode_chosen(value.replace(b"[-0.5,0.75,0.0]", b"[-0.5,0.75]"))
