"""Figures to shapes, numbers and addresses: nothing is lost on the way, nothing adds up wrongly."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from deploy.page.charts import HEIGHT, WIDTH, bar_of, round_up, stacked_chart, volume_path
from deploy.page.label_looks import in_order, look_of
from deploy.page.reader import Reader, time_element
from deploy.page.shared_answers import SharedAnswers
from deploy.page.view_address import ViewAddress, view_of
from model_server.http.problems import Refused
from stream_processors.aggregates.aggregates import SeriesPoint

START = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LABELS = ["negative", "neutral", "positive"]


def series_of(counts: list[dict[str, int]]) -> list[SeriesPoint]:
    return [
        SeriesPoint(start=START + number * HOUR, by_label=by_label)
        for number, by_label in enumerate(counts)
    ]


COUNTS = st.lists(st.dictionaries(st.sampled_from(LABELS), st.integers(1, 10**9)), max_size=60)


@given(COUNTS, st.booleans())
def test_a_chart_stays_in_its_frame_and_shares_fill_it(
    counts: list[dict[str, int]], as_shares: bool
) -> None:
    chart = stacked_chart(series_of(counts), HOUR, LABELS, as_shares=as_shares)
    assert [bucket.tweets for bucket in chart.buckets] == [sum(each.values()) for each in counts]
    for path in (*(band.path for band in chart.bands), volume_path(chart.buckets)):
        across = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", path)]
        down = [float(y) for y in re.findall(r"(?:V|M[\d.]+ )(-?[\d.]+)", path)]
        assert all(-0.01 <= x <= WIDTH + 0.5 for x in across)
        assert all(-0.01 <= y <= HEIGHT + 0.01 for y in down)
    if as_shares and any(counts):
        assert "V0H" in "".join(band.path for band in chart.bands)


def test_a_chart_of_nothing_is_a_chart() -> None:
    chart = stacked_chart([], HOUR, LABELS, as_shares=False)
    assert chart.ticks == []
    assert chart.place_of(START) is None
    assert volume_path(chart.buckets) == ""


def test_a_moment_has_its_place_on_the_time_line() -> None:
    chart = stacked_chart(series_of([{"neutral": 1}] * 4), HOUR, LABELS, as_shares=True)
    assert chart.place_of(START + HOUR) == WIDTH / 4
    assert chart.place_of(START - HOUR) is None
    assert chart.ticks[0] == START
    assert chart.ticks[-1] == START + 4 * HOUR


@given(st.integers(1, 10**12))
def test_the_top_of_an_axis_is_round_and_near(value: int) -> None:
    top = round_up(value)
    assert value <= top <= 2.5 * value


@given(st.dictionaries(st.sampled_from(LABELS), st.integers(0, 10**9)))
def test_the_pieces_of_a_bar_fill_it(by_label: dict[str, int]) -> None:
    pieces = bar_of(by_label, LABELS)
    assert sum(piece.tweets for piece in pieces) == sum(by_label.values())
    if pieces:
        assert sum(piece.width for piece in pieces) == pytest.approx(WIDTH, abs=0.1)


@pytest.mark.parametrize(
    ("language", "number", "share"),
    [
        ("en-GB,en;q=0.9", "12,345.6", "34.5%"),
        ("de", "12.345,6", "34,5\u00a0%"),
        ("de-CH", "12’345.6", "34.5%"),
        ("fr-FR", "12\u202f345,6", "34,5\u202f%"),
        ("tlh, sv;q=.5", "12\u00a0345,6", "34,5\u00a0%"),
        ("", "12,345.6", "34.5%"),
        (";;,,=" * 1000, "12,345.6", "34.5%"),
    ],
)
def test_numbers_are_written_as_the_reader_does(language: str, number: str, share: str) -> None:
    reader = Reader(language)
    assert reader.number(12_345.6, 1) == number
    assert reader.percent(0.345, 1) == share


def test_a_share_that_is_not_nothing_is_not_shown_as_nothing() -> None:
    reader = Reader("en")
    assert reader.percent(0.0001) == "<\u00a01%"
    assert reader.percent(0) == "0%"
    assert reader.points(-0.031) == "−3.1"
    assert reader.points(0.0) == "±0.0"


def test_a_time_says_its_moment_to_programs_and_to_people() -> None:
    assert time_element(START) == (
        '<time datetime="2026-04-01T00:00:00Z" data-form="minute">2026-04-01 00:00 UTC</time>'
    )


@given(st.text(max_size=30))
def test_a_label_looks_the_same_each_time(label: str) -> None:
    assert look_of(label) == look_of(label)
    assert look_of("NEGATIVE") == look_of("negative")


def test_labels_go_from_the_worst_to_the_best() -> None:
    assert in_order(["positive", "anger", "negative", "neutral"]) == [*LABELS, "anger"]


# Longer values are refused, see below.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200
).filter(lambda text: text == text.strip())
NAMES = st.lists(TEXT, max_size=3, unique=True).map(tuple)


@given(
    st.builds(
        ViewAddress,
        run=st.none() | TEXT,
        window=st.none() | st.just("1d"),
        rules=NAMES,
        labels=NAMES,
        hashtags=NAMES,
        measure=st.sampled_from(["shares", "counts"]),
        is_live=st.booleans(),
    )
)
def test_an_address_holds_the_whole_view(view: ViewAddress) -> None:
    query = view.at("/tweets").partition("?")[2]
    assert view_of(QueryParams(query)) == view


def test_a_window_and_a_span_exclude_each_other() -> None:
    view = ViewAddress(window="1d")
    assert view.changed(start="2026-04-01").window is None
    assert view.changed(start="2026-04-01").changed(window="1h").start is None


@pytest.mark.parametrize("query", ["run=" + "x" * 201, "&".join(f"rule={n}" for n in range(51))])
def test_an_address_that_holds_too_much_is_refused(query: str) -> None:
    with pytest.raises(Refused):
        view_of(QueryParams(query))


def test_fifty_readers_cost_one_question() -> None:
    asked = []
    go = threading.Event()

    def ask() -> int:
        go.wait(10)
        asked.append(1)
        return len(asked)

    answers = SharedAnswers(lambda: 0.0, 4.0)
    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(answers.get, "figures", ask) for _ in range(50)]
        go.set()
        assert {each.result(timeout=10) for each in waiting} == {1}


def test_an_answer_is_kept_for_its_time_and_a_fault_is_not() -> None:
    now_s = [0.0]
    answers = SharedAnswers(lambda: now_s[0], 4.0)
    with pytest.raises(ZeroDivisionError):
        answers.get("x", lambda: 1 // 0)
    assert answers.get("x", lambda: 1) == 1
    now_s[0] = 3.9
    assert answers.get("x", lambda: 2) == 1
    now_s[0] = 4.0
    assert answers.get("x", lambda: 2) == 2
    assert [answers.get(number, lambda: 3) for number in range(500)] == [3] * 500
    assert answers.get("x", lambda: 4) == 4
