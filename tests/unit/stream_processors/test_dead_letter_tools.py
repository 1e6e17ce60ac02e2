"""What is shown of a dead letter does nothing, and a redriven message says what it was."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Headers
from schemas.escape_for_terminal import shown
from schemas.time_option import InvalidMoment, parse_moment
from schemas.transport.redrives import (
    REDRIVE_HEADER,
    Redrive,
    is_vouched_for,
    passed_on,
    redrive_of,
    redriven,
    signed,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=50)), max_size=6)
redrives = st.builds(
    Redrive,
    source=st.text(max_size=50),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp_ms=st.integers(0, 2**63 - 1),
    run=st.none() | st.from_regex(r"[a-z0-9][a-z0-9._-]{0,62}", fullmatch=True),
    count=st.integers(1, 1_000),
)


LINK = Redrive(source="x" * 255, partition=1, offset=2, timestamp_ms=3, run=None, count=1)


@given(st.none() | st.binary() | st.text())
def test_nothing_that_is_shown_can_act_on_a_terminal(content: bytes | str | None) -> None:
    assert shown(content).isprintable()


def test_long_values_are_cut_and_say_so() -> None:
    assert shown(b"x" * 5_000).startswith("x" * 2_000 + "…")
    assert "3,000" in shown(b"x" * 5_000)


@given(st.text("x", max_size=200))
def test_what_is_shown_of_a_value_is_never_longer_than_the_value(content: str) -> None:
    assert len(shown(content, 60)) <= len(content)


def test_escapes_and_direction_marks_are_spelt_out() -> None:
    assert shown("\x1b[31mred\u202egnp\n") == r"\x1b[31mred\u202egnp\n"


@given(redrives, st.binary(min_size=1))
def test_only_whoever_has_the_secret_vouches_for_a_link_and_for_its_count(
    redrive: Redrive, secret: bytes
) -> None:
    link = signed(redrive, secret)
    assert is_vouched_for(link, secret)
    assert not is_vouched_for(redrive, secret)
    assert not is_vouched_for(link, secret + b"x")
    for name, value in (("count", link.count + 1), ("offset", link.offset + 1), ("run", "forged")):
        assert not is_vouched_for(msgspec.structs.replace(link, **{name: value}), secret)


@given(headers, redrives)
def test_a_redrive_leaves_the_own_headers_and_reads_back(own: Headers, redrive: Redrive) -> None:
    linked = redriven(own, redrive)
    assert redrive_of(linked) == redrive
    assert linked[:-1] == [pair for pair in own if pair[0] != REDRIVE_HEADER]
    assert redrive_of(passed_on(linked)) == redrive


@given(st.binary())
def test_a_malformed_link_is_none(value: bytes) -> None:
    assert redrive_of([(REDRIVE_HEADER, value)]) is None
    assert redrive_of([(REDRIVE_HEADER, b'{"source":"x","count":-1}')]) is None


def test_what_anybody_put_there_is_not_passed_on() -> None:
    own = ("other", b"x")
    for value in (b"{", b" " * 1_000_000, b'{"source":"' + b"x" * 1_000_000 + b'"}'):
        assert passed_on([own, (REDRIVE_HEADER, value)]) == []
    twice = [(REDRIVE_HEADER, msgspec.json.encode(LINK))] * 2
    assert redrive_of(passed_on([own, *twice])) == LINK
    assert len(passed_on([own, *twice])) == 1


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", (NOW - timedelta(hours=2)).replace(second=0, microsecond=0)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T10:30:00+01:00", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_dates_or_lengths_of_time_ago(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "all", "yesterday", "-2h"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidMoment):
        parse_moment(text, NOW)
