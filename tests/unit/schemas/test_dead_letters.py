"""A dead letter keeps what it was, and says where it came from."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Headers, Reason
from schemas.transport.dead_letters import (
    MAX_KEPT_BYTES,
    TRUNCATED_BYTES,
    SourcePosition,
    dead_letter,
    from_message,
    to_headers,
)

ELSEWHERE = SourcePosition("tweets.dead-letter", 0, 99, 1_700_000_000_000)
headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=50)), max_size=6)


@given(
    st.none() | st.binary(max_size=100),
    st.none() | st.binary(max_size=1000),
    headers.filter(lambda pairs: all(name != "run" for name, _ in pairs)),
    st.integers(0, 1000),
    st.integers(0, 2**40),
)
def test_a_dead_letter_reads_back_as_it_was_written(
    key: bytes | None, value: bytes | None, own: Headers, partition: int, offset: int
) -> None:
    position = SourcePosition("tweets.raw", partition, offset, 1_600_000_000_000)
    letter = dead_letter(
        run=None,
        stage="score",
        reason=Reason.NOT_JSON,
        detail="at byte 3",
        position=position,
        key=key,
        value=value,
        headers=own,
    )
    assert from_message(key, letter.value, to_headers(letter), ELSEWHERE) == letter


@given(st.none() | st.binary(max_size=100), headers)
def test_anybody_may_write_to_the_topic(value: bytes | None, own: Headers) -> None:
    letter = from_message(None, value, own, ELSEWHERE)
    assert letter.value == value


def test_whatever_it_was_a_dead_letter_fits_into_a_message() -> None:
    letter = dead_letter(
        run=None,
        stage="score",
        reason=Reason.NOT_JSON,
        detail="x" * 10_000,
        position=ELSEWHERE,
        key=b"k" * 900_000,
        value=b"v" * MAX_KEPT_BYTES,
        headers=[("h", b"h" * 900_000)],
    )
    sizes = [len(letter.key or b""), len(letter.value or b"")]
    sizes += [len(name) + len(value) for name, value in to_headers(letter)]
    assert sum(sizes) < 512 * 1024
    assert dict(letter.headers)["murmur.errors.cut"] == b"key,headers"


def test_forged_names_are_cut_and_forged_runs_are_none() -> None:
    forged: Headers = [
        ("run", b"r" * 20_000),
        ("murmur.errors.reason", b"r" * 20_000),
        ("murmur.errors.stage", b"s" * 20_000),
        ("__streams.errors.message", b"m" * 20_000),
    ]
    letter = from_message(None, b"x", forged, ELSEWHERE)
    assert letter.run is None
    assert max(len(letter.reason), len(letter.stage)) <= 300
    assert len(letter.detail) <= 2_000


def test_forged_positions_are_not_believed() -> None:
    forged: Headers = [
        ("__streams.errors.topic", b"tweets.raw"),
        ("__streams.errors.partition", b"99999999999"),
        ("__streams.errors.offset", b"1" * 40),
        ("murmur.errors.timestamp-ms", b"-1"),
    ]
    assert from_message(None, b"x", forged, ELSEWHERE).position == ELSEWHERE


def test_a_huge_value_is_cut_and_its_size_and_hash_are_kept() -> None:
    value = b"x" * (MAX_KEPT_BYTES + 1)
    letter = dead_letter(
        run="r",
        stage="score",
        reason=Reason.TOO_LARGE,
        detail="",
        position=ELSEWHERE,
        key=None,
        value=value,
        headers=[],
    )
    assert letter.value is not None
    assert (len(letter.value), letter.value_size_bytes) == (TRUNCATED_BYTES, MAX_KEPT_BYTES + 1)
