"""A trace context is handed on as it came, or not at all."""

import pytest

from schemas.codec import Headers, Reason
from schemas.transport.dead_letters import letter_of, to_headers
from schemas.transport.messages import ConsumedMessage
from schemas.transport.trace_context import sampled_trace, trace_context

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01".encode()
BOTH: Headers = [("traceparent", PARENT), ("tracestate", b"congo=t61rcWkgMzE, rojo=00f0")]


def test_both_headers_are_handed_on_byte_for_byte_and_nothing_else_is() -> None:
    assert trace_context([("run", b"live"), *BOTH, ("other", b"1")]) == BOTH


@pytest.mark.parametrize(
    "parent",
    [
        b"",
        b"nonsense",
        PARENT.upper(),
        b"ff" + PARENT[2:],
        PARENT.replace(TRACE.encode(), b"0" * 32),
        PARENT + b"\n",
        PARENT + b"-" + b"x" * 300,
    ],
)
def test_what_is_no_trace_is_dropped_with_its_state(parent: bytes) -> None:
    headers = [("traceparent", parent), ("tracestate", b"congo=1")]
    assert trace_context(headers) == []
    assert sampled_trace(headers) is None


def test_two_parents_are_none_and_a_later_version_may_be_longer() -> None:
    assert trace_context([("traceparent", PARENT)] * 2) == []
    longer = b"01" + PARENT[2:] + b"-what-comes"
    assert trace_context([("traceparent", longer)]) == [("traceparent", longer)]


def test_only_a_sampled_trace_is_logged() -> None:
    assert sampled_trace(BOTH) == TRACE
    assert sampled_trace([("traceparent", PARENT[:-2] + b"00")]) is None
    assert sampled_trace([("run", b"live")]) is None


def test_a_dead_letter_keeps_both() -> None:
    message = ConsumedMessage("tweets.raw", 0, 1, 0, b"key", b"{", BOTH)
    letter = letter_of(message, stage="score", reason=Reason.NOT_JSON, detail="no JSON")
    assert to_headers(letter)[:2] == BOTH
