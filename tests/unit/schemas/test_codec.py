"""Bytes become events or one kind of error; events become bytes and come back the same."""

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import (
    InvalidEvent,
    Reason,
    decode_raw,
    decode_scored,
    encode,
    headers_of,
    key_of,
)
from schemas.events import MAX_TEXT_CHARS, TweetDeleted, TweetPosted
from schemas.topics import MAX_EVENT_BYTES
from tests.unit.examples import deleted, posted, scored_tweet

storable_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=500
)


@given(storable_text)
def test_any_text_survives_the_way_through_kafka(text: str) -> None:
    event = posted(text=text)
    assert decode_raw(encode(event)) == event


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_invalid_event(value: bytes) -> None:
    with pytest.raises(InvalidEvent):
        decode_raw(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["type", "run", "tweet_id", "text", "posted_at"]), json_values)
)
def test_arbitrary_json_raises_nothing_but_invalid_event(document: dict[str, object]) -> None:
    for decode in (decode_raw, decode_scored):
        with pytest.raises(InvalidEvent):
            decode(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": "a\x00b"}, Reason.NUL_CHARACTER),
        ({"text": "x" * (MAX_TEXT_CHARS + 1)}, Reason.INVALID_EVENT),
        ({"tweet_id": None}, Reason.INVALID_EVENT),
        ({"tweet_id": "12 34"}, Reason.INVALID_EVENT),
        ({"run": "../live"}, Reason.INVALID_EVENT),
        ({"type": "TweetLiked"}, Reason.INVALID_EVENT),
        ({"posted_at": "2026-01-01T00:00:00"}, Reason.INVALID_EVENT),
        ({"version": "one"}, Reason.INVALID_EVENT),
        ({"posted_at": "2081-01-01T00:00:00Z"}, Reason.IMPLAUSIBLE_TIME),
    ],
)
def test_an_event_that_cannot_be_stored_says_why(change: dict[str, object], reason: Reason) -> None:
    document = {**json.loads(encode(posted())), **change}
    with pytest.raises(InvalidEvent) as caught:
        decode_raw(json.dumps(document).encode())
    assert caught.value.reason is reason


def test_a_backslash_before_u0000_is_plain_text() -> None:
    event = posted(text="the escape \\u0000 is written so")
    assert decode_raw(encode(event)) == event


extreme_values: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        "",
        "\x00",
        -1,
        2**70,
        1e308,
        [],
        {},
        [None],
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2016-02-30T00:00:00Z",
        "&#" + "9" * 5_000,
        "x" * 100_000,
    ]
)


@given(st.dictionaries(st.sampled_from(sorted(TweetPosted.__struct_fields__)), extreme_values))
def test_a_valid_event_with_extreme_fields_is_read_or_refused(change: dict[str, object]) -> None:
    document = {**json.loads(encode(posted())), **change}
    try:
        event = decode_raw(json.dumps(document).encode())
    except InvalidEvent:
        return
    assert decode_raw(encode(event)) == event


def test_the_day_is_the_utc_day_wherever_a_time_was_written() -> None:
    document = {**json.loads(encode(posted())), "posted_at": "2020-01-01T01:00:00+05:00"}
    event = decode_raw(json.dumps(document).encode())
    assert isinstance(event, TweetPosted)
    assert event.day.isoformat() == "2019-12-31"


FAR = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-5)))
LONG_AGO = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))


@pytest.mark.parametrize("moment", [FAR, LONG_AGO], ids=["far", "long ago"])
@pytest.mark.parametrize("field", ["posted_at", "received_at", "edited_at", "scored_at"])
def test_a_tweet_with_a_time_that_cannot_be_is_refused(field: str, moment: datetime) -> None:
    tweet = scored_tweet()
    if field == "scored_at":
        score = msgspec.structs.replace(tweet.score, scored_at=moment)
        tweet = msgspec.structs.replace(tweet, score=score)
    else:
        tweet = msgspec.structs.replace(tweet, **{field: moment})
    with pytest.raises(InvalidEvent) as refused:
        decode_scored(encode(tweet))
    assert refused.value.reason == Reason.IMPLAUSIBLE_TIME


@pytest.mark.parametrize("moment", [FAR, LONG_AGO], ids=["far", "long ago"])
def test_what_is_removed_goes_whatever_its_times_are(moment: datetime) -> None:
    removal = TweetDeleted(
        run="test", tweet_id="1", deleted_at=moment, received_at=moment, source="test"
    )
    read = decode_scored(encode(removal))
    assert isinstance(read, TweetDeleted)
    assert read.deleted_at is None
    assert 2006 <= read.received_at.year <= 2080
    fine = deleted()
    assert decode_raw(encode(fine)) == fine


def test_what_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode_raw(b" " * (MAX_EVENT_BYTES + 1))
    assert caught.value.reason is Reason.TOO_LARGE


def test_no_value_and_lone_surrogates_are_refused() -> None:
    for value in (None, encode(posted(text="@@")).replace(b"@@", b"\\ud800")):
        with pytest.raises(InvalidEvent):
            decode_raw(value)


def test_an_error_does_not_repeat_the_text() -> None:
    secret = "a very private text"
    value = encode(posted(text=secret)).replace(b'"version"', b'"version":"x","version"')
    document = {**json.loads(value), "version": "x"}
    with pytest.raises(InvalidEvent) as caught:
        decode_raw(json.dumps(document).encode())
    assert secret not in str(caught.value)


def test_all_versions_of_a_tweet_share_a_key() -> None:
    first = posted(tweet_id="800000000000000000", root_id="800000000000000000")
    second = posted(tweet_id="800000000000000099", root_id="800000000000000000", version=1)
    assert key_of(first) == key_of(second) == b"800000000000000000"
    assert dict(headers_of(first)) == {"run": b"test", "type": b"TweetPosted"}


def test_unknown_fields_of_a_newer_writer_are_ignored() -> None:
    event = TweetDeleted(
        run="test", tweet_id="1", received_at=datetime(2026, 1, 1, tzinfo=UTC), source="x-v2"
    )
    document = {**json.loads(encode(event)), "newer": {"field": 1}}
    assert decode_raw(json.dumps(document).encode()) == event


def test_a_scored_event_is_no_raw_event() -> None:
    with pytest.raises(InvalidEvent):
        decode_scored(encode(posted()))
    assert isinstance(decode_raw(encode(posted())), TweetPosted)
