"""The Open Inference Protocol: texts in by JSON and in binary, only what was asked for out."""

import contextlib
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server.http.batching import Answer
from model_server.http.inference_protocol import (
    ParsedInfer,
    ProtocolFault,
    infer_answer,
    parse_infer,
)
from model_server.scorer import Prediction
from tests.unit.examples import model

texts = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(str.strip),
    min_size=1,
    max_size=8,
)


def request(data: Any, count: int, **more: Any) -> dict[str, Any]:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [count], "data": data}
    return {"inputs": [tensor], **more}


def in_binary(sent: list[str], **more: Any) -> tuple[bytes, str]:
    tail = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in sent)
    document = request(None, len(sent), **more)
    document["inputs"][0]["parameters"] = {"binary_data_size": len(tail)}
    del document["inputs"][0]["data"]
    head = msgspec.json.encode(document)
    return head + tail, str(len(head))


@given(texts)
def test_texts_come_in_as_they_were_sent_in_either_form(sent: list[str]) -> None:
    by_json = parse_infer(msgspec.json.encode(request(sent, len(sent), id="7")), None)
    assert (by_json.texts, by_json.id) == (sent, "7")
    assert parse_infer(*in_binary(sent, id="7")) == by_json


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"inputs": []},
        request(["a"], 2),
        request(["a", 1], 2),
        request("a", 1),
        request([" "], 1),
        request(["a" * 50_001], 1),
        request(["a"] * 513, 513),
        request(["a"], 1, outputs=[{"name": "logits"}]),
        {"inputs": [{"name": "text", "datatype": "FP32", "shape": [1], "data": ["a"]}]},
        {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1], "data": ["a"]}]},
        {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1, 2], "data": ["a"]}]},
        {"inputs": [{"name": "other", "datatype": "BYTES", "shape": [1], "data": ["a"]}]},
    ],
)
def test_what_breaks_the_protocol_is_refused(document: Any) -> None:
    with pytest.raises(ProtocolFault):
        parse_infer(msgspec.json.encode(document), None)


@given(st.binary(max_size=60), st.none() | st.integers(-1, 80).map(str) | st.text(max_size=3))
def test_any_bytes_are_texts_or_a_refusal(body: bytes, length: str | None) -> None:
    with contextlib.suppress(ProtocolFault):
        parse_infer(body, length)


@given(texts, st.data())
def test_cut_or_lengthened_binary_data_is_refused(sent: list[str], data: st.DataObject) -> None:
    body, length = in_binary(sent)
    cut = data.draw(st.integers(int(length), len(body) - 1))
    for wrong in (body[:cut], body + b"x"):
        with pytest.raises(ProtocolFault):
            parse_infer(wrong, length)


def answer() -> Answer:
    probabilities = {"negative": 0.25, "positive": 0.75}
    return Answer([Prediction("positive", 0.75, probabilities)] * 2, model())


def test_only_the_outputs_that_were_asked_for_come_out() -> None:
    asked = ParsedInfer(id="7", texts=["a", "b"], outputs=[("label", False)])
    body, json_bytes = infer_answer(asked, answer(), ("negative", "positive"))
    found = msgspec.json.decode(body)
    assert json_bytes is None
    assert found["id"] == "7"
    assert (found["model_name"], found["model_version"]) == ("a", "1")
    assert found["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["positive", "positive"]}
    ]


def test_outputs_come_in_binary_where_that_was_asked_for() -> None:
    asked = ParsedInfer(id="", texts=["a", "b"], outputs=[("probabilities", True), ("label", True)])
    body, json_bytes = infer_answer(asked, answer(), ("negative", "positive"))
    assert json_bytes is not None
    found = msgspec.json.decode(body[:json_bytes])
    assert "id" not in found
    sizes = [each["parameters"]["binary_data_size"] for each in found["outputs"]]
    assert sizes == [32, 24]
    tail = body[json_bytes:]
    assert struct.unpack("<4d", tail[:32]) == (0.25, 0.75, 0.25, 0.75)
    assert tail[32:] == (struct.pack("<I", 8) + b"positive") * 2
