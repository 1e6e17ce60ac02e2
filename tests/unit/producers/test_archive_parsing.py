"""What a value from outside may be."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import language, tweet_id, tweet_text
from producers.parsing.provenance import Origin
from producers.parsing.timestamps import parse_moment

MOMENT = datetime(2016, 11, 18, 15, 37, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2016-11-18T15:37:17Z",
        "2016-11-18T15:37:17.000Z",
        "2016-11-18 16:37:17+01:00",
        "2016-11-18T15:37:17",
        "Fri Nov 18 15:37:17 +0000 2016",
        "Fri Nov 18 10:07:17 -0530 2016",
        "1479483437",
        " 1479483437000 ",
        1479483437,
        1479483437000,
        1479483437.0,
    ],
)
def test_a_moment_is_read_however_archives_write_it(written: object) -> None:
    assert parse_moment(written, "created_at") == MOMENT


@pytest.mark.parametrize(
    "written", ["", "yesterday", "Xyz Now 18 15:37:17 +0000 2016", True, 7, []]
)
def test_what_is_no_moment_is_refused_without_repeating_it(written: object) -> None:
    with pytest.raises(Unparsable, match=r"^invalid-event: created_at is not a valid date$"):
        parse_moment(written, "created_at")


@given(st.integers(0, 4_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_iso_dates_keep_their_instant(epoch_s: int, offset_minutes: int) -> None:
    moment = datetime.fromtimestamp(epoch_s, timezone(timedelta(minutes=offset_minutes)))
    assert parse_moment(moment.isoformat(), "created_at") == moment


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a &amp;amp; b &lt;3 &#9728;", "a &amp; b <3 ☀"),
        ("https://x.test/?a=1&copy=2", "https://x.test/?a=1&copy=2"),
        ("half \ud83d and \x00", "half \ufffd and \ufffd"),
        ("&#0;&#xD800;&#99999999999;", "\ufffd\ufffd&#99999999999;"),
    ],
)
def test_entities_are_unescaped_once_and_what_cannot_be_stored_is_replaced(
    written: str, text: str
) -> None:
    assert tweet_text(written) == text


@pytest.mark.parametrize("written", [None, "", " \n ", "&#32;"])
def test_a_tweet_without_a_text_is_refused(written: str | None) -> None:
    with pytest.raises(Unparsable, match="missing-field"):
        tweet_text(written)


@pytest.mark.parametrize("code", ["und", "zxx", "qme", "qht", "", None, "no language at all"])
def test_a_language_that_is_none_is_none(code: str | None) -> None:
    assert language(code) is None


def test_a_made_id_depends_on_content_line_and_place_alone() -> None:
    def origin(run: str, content: str) -> Origin:
        return Origin(run, MOMENT, "x-v2", content)

    one = origin("one", "aa")
    assert one.made_id(1) == origin("two", "aa").made_id(1)
    ids = {one.made_id(1), one.made_id(2), one.made_id(1, 1), origin("one", "ab").made_id(1)}
    assert len(ids) == 4


@pytest.mark.parametrize("written", ["x", "row2", "ABC", "", "a" * 65])
def test_what_is_no_id_is_refused_with_the_rule(written: str) -> None:
    with pytest.raises(Unparsable, match="1 to 64 characters of 0-9 and a-f"):
        tweet_id(written, "id")
