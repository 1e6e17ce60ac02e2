"""Dates as people and programs write them, and the order of day and month that a file shows."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.lines import LineReader
from producers.formats.archive_format import FormatOptions
from producers.formats.day_order import with_day_order
from producers.formats.registry import FORMATS
from producers.formats.rows import RowReader
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Parsed
from producers.parsing.timestamps import parse_moment
from producers.parsing.written_dates import AmbiguousDate, DayOrder, day_order_of
from producers.replay.time_range import Times
from schemas.failures import Failure
from tests.unit.archive_replays import NOW, survey, tweets

MOMENT = datetime(2023, 3, 21, 16, 5, 9, tzinfo=UTC)
OWN_ID = 1_630_900_690_744_246_273


@pytest.mark.parametrize(
    "written",
    [
        "21.03.2023 16:05:09",
        "21/03/2023 16:05:09",
        "3/21/2023 4:05:09 PM",
        "03-21-2023, 04:05:09 p.m.",
        "2023/03/21 16:05:09",
        "2023-3-21 16:05:09 UTC",
        "2023-03-21 16:05:09 +0000 UTC",
        "2023-03-21T17:05:09.000+0100",
        "Tue, 21 Mar 2023 16:05:09 GMT",
        "Tue, 21 Mar 2023 17:05:09 +0100",
        "Tue Mar 21 16:05:09 2023",
        "Tue Mar 21 2023 17:05:09 GMT+0100 (Central European Standard Time)",
        "21-Mar-2023 16:05:09",
        "21st March 2023 16:05:09",
        "Mar 21, 2023, 4:05:09 PM",
        "4:05:09 PM · Mar 21, 2023",
        "Di., 21. März 2023 um 16:05:09 Uhr",
        "21/03/23 16:05:09",
    ],
)
def test_a_date_is_read_however_it_is_written(written: str) -> None:
    assert parse_moment(written, "created_at") == MOMENT


@pytest.mark.parametrize(
    "written",
    [
        "32.01.2023",
        "2023-02-30 10:00",
        "13/13/2023",
        "2023-03-21 16:05 BST",
        "1/2",
        "noon",
        "0/0/0",
    ],
)
def test_what_is_no_date_is_none(written: str) -> None:
    with pytest.raises(Unparsable, match="is not a valid date"):
        parse_moment(written, "created_at")


@given(st.dates(date(2006, 4, 1), date(2099, 1, 1)), st.sampled_from("/-"))
def test_the_order_decides_and_nothing_is_guessed(day: date, between: str) -> None:
    as_dmy, as_mdy = (
        day.strftime(f"%d{between}%m{between}%Y"),
        day.strftime(f"%m{between}%d{between}%Y"),
    )
    orders: list[tuple[DayOrder, str]] = [("dmy", as_dmy), ("mdy", as_mdy)]
    for order, written in orders:
        assert parse_moment(written, "x", order).date() == day
    if day.day <= 12 and day.day != day.month:
        with pytest.raises(AmbiguousDate):
            parse_moment(as_dmy, "x")
        assert day_order_of(as_dmy) == "either"
    else:
        assert parse_moment(as_dmy, "x").date() == parse_moment(as_mdy, "x").date() == day


def rows(*dates: str) -> bytes:
    return b"text,created_at\n" + b"".join(b'words,"%s"\n' % date.encode() for date in dates)


def test_one_row_that_can_be_read_in_one_way_decides_for_all(tmp_path: Path) -> None:
    many = ["03/04/2021"] * 3_000
    for last, month in (("25/12/2021", 4), ("12/25/2021", 3)):
        found = tweets(tmp_path / "a.csv", rows(*many, last))
        assert {tweet.posted_at.month for tweet in found} == {month, 12}


@pytest.mark.parametrize(
    ("dates", "said"),
    [(["03/04/2021"] * 9, "can be read two ways"), (["13/04/2021", "04/13/2021"], "contradict")],
)
def test_what_no_row_decides_is_asked_for(tmp_path: Path, dates: list[str], said: str) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(Failure, match=rf"{said}.*--dates dmy or --dates mdy"):
        survey(path, rows(*dates))
    for order, month in (("dmy", 4), ("mdy", 3)):
        options = FormatOptions(day_order=order)  # type: ignore[arg-type]
        found = tweets(path, rows("03/04/2021"), options)
        assert [tweet.posted_at.month for tweet in found] == [month]


def test_an_unreadable_date_never_costs_a_tweet_whose_id_holds_its_time(tmp_path: Path) -> None:
    lines = [
        f"{OWN_ID + n},words {n},{date}" for n, date in enumerate(("01/03/2023", "soon", "NaT"))
    ]
    found = survey(tmp_path / "a.csv", ("id,text,created_at\n" + "\n".join(lines)).encode())
    assert found.events == {"TweetPosted": 3}
    assert found.findings.dropped == {"created_at": 2}
    assert found.findings.untimed == 0


def test_a_date_that_is_needed_and_unreadable_is_a_dead_letter(tmp_path: Path) -> None:
    found = survey(tmp_path / "a.csv", b"id,text,created_at\n5,words,soon\n6,words,2021-01-01\n")
    assert found.refused == {"invalid-event": 1}


@pytest.mark.parametrize("document", ['{"data":%s}', "%s"])
def test_a_date_of_another_form_costs_no_tweet_of_x(tmp_path: Path, document: str) -> None:
    tweet = f'{{"id":"{OWN_ID}","text":"x","created_at":"01/03/2023 12:00","author_id":9.5}}'
    found = survey(tmp_path / "a", (document % tweet).encode())
    assert found.events == {"TweetPosted": 1}
    assert found.findings.dropped == {"created_at": 1, "author_id": 1}


def test_a_file_that_is_read_but_once_is_decided_by_its_beginning() -> None:
    known = next(each for each in FORMATS if each.name == "csv")
    beginning = rows("03/04/2021", "25/12/2021")
    reader = with_day_order(known.reader(beginning, FormatOptions()), beginning)
    assert isinstance(reader, RowReader)
    assert reader.day_order == "dmy"
    assert len(list(reader.records(iter(LineReader([beginning]))))) == 2
    with pytest.raises(Failure, match="--dates"):
        with_day_order(known.reader(rows("03/04/2021"), FormatOptions()), rows("03/04/2021"))


def test_rows_without_a_time_are_counted(tmp_path: Path) -> None:
    found = survey(tmp_path / "a.csv", b"text,created_at\none,\ntwo,2021-01-01\n")
    assert found.findings.untimed == 1
    assert found.span.newest - datetime(2021, 1, 1, tzinfo=UTC) == timedelta(0)


def test_what_was_noticed_of_tweets_is_kept_where_their_times_are_moved() -> None:
    parsed = Parsed(dropped=["lang"], untimed=2, overruled_times=1)
    left = Times(shift=timedelta(days=1)).applied(parsed, NOW)
    assert (left.dropped, left.untimed, left.overruled_times) == (["lang"], 2, 1)
