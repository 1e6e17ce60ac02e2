"""A message is the same one, whichever client has read it."""

from types import MappingProxyType

import confluent_kafka
import pytest
from faust.types.tuples import Message as FaustMessage
from hypothesis import given
from hypothesis import strategies as st

from schemas.transport.messages import (
    LAST_TIMESTAMP_MS,
    ConsumedMessage,
    from_confluent,
    from_faust,
)

WRITTEN_BY_ANYBODY = st.lists(
    st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=4
)


def by_confluent(
    timestamp_ms: int = 0,
    headers: list[tuple[str, str | bytes | None]] | None = None,
    key: bytes | None = b"k",
    value: bytes | None = b"v",
) -> confluent_kafka.Message:
    return confluent_kafka.Message(
        topic="tweets.raw",
        partition=3,
        offset=7,
        key=key,
        value=value,
        headers=headers,
        timestamp=(1, timestamp_ms),
    )


@given(
    timestamp_ms=st.integers(1_400_000_000_000, 2_000_000_000_000),
    headers=WRITTEN_BY_ANYBODY,
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
)
def test_both_clients_messages_become_the_same(
    timestamp_ms: int,
    headers: list[tuple[str, bytes | None]],
    key: bytes | None,
    value: bytes | None,
) -> None:
    faust = FaustMessage(
        "tweets.raw",
        3,
        7,
        timestamp_ms / 1000.0,
        0,
        headers,  # type: ignore[arg-type]  # its types say that each has a value
        key,
        value,
        None,
    )
    expected = ConsumedMessage(
        "tweets.raw",
        3,
        7,
        timestamp_ms,
        key,
        value,
        [(name, content) for name, content in headers if content is not None],
    )
    assert from_confluent(by_confluent(timestamp_ms, [*headers], key, value)) == expected
    assert from_faust(faust) == expected


@pytest.mark.parametrize(
    ("given_ms", "kept_ms"), [(-1, 0), (LAST_TIMESTAMP_MS + 1, LAST_TIMESTAMP_MS)]
)
def test_a_timestamp_that_is_no_date_is_moved_to_the_nearest(given_ms: int, kept_ms: int) -> None:
    assert from_confluent(by_confluent(given_ms)).timestamp_ms == kept_ms
    faust = FaustMessage("t", 0, 0, given_ms / 1000, 0, None, None, None, None)
    assert from_faust(faust).timestamp_ms == kept_ms


def test_headers_may_be_a_mapping_or_none() -> None:
    for headers, expected in ((MappingProxyType({"a": b"1"}), [("a", b"1")]), (None, [])):
        faust = FaustMessage("t", 0, 0, 0.0, 0, headers, None, None, None)
        assert from_faust(faust).headers == expected


def test_headers_whose_names_are_not_utf_8_are_none() -> None:
    class Message(confluent_kafka.Message):
        """What confluent-kafka makes of a message whose header it cannot decode."""

        def headers(self) -> list[tuple[str, str | bytes | None]]:
            raise SystemError("returned a result with an exception set")

    assert from_confluent(Message(topic="t", partition=0, offset=0)).headers == []


def test_what_was_not_consumed_is_refused() -> None:
    with pytest.raises(ValueError, match="consumed"):
        from_confluent(confluent_kafka.Message(topic="t"))
