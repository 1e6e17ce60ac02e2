"""Exported tweets as text: what goes in can be read back."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.formula_guard import guarded
from stream_processors.queries.export_rows import ExportRow
from stream_processors.queries.export_text import csv_chunks, json_lines

# What PostgreSQL can hold: no NUL, no surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LABELS = ["negative", "positive"]


def row(text: str = "good morning", **changes: object) -> ExportRow:
    moment = datetime(2024, 5, 1, 14, 0, 0, 123_000, tzinfo=timezone(timedelta(hours=2)))
    usual = ExportRow(
        tweet_id="1785650000000000001",
        root_id="1785650000000000000",
        version=1,
        posted_at=moment,
        edited_at=None,
        author_id=None,
        retweet_of=None,
        language="en",
        rules=["weather, all", 'a"b'],
        hashtags=[],
        text=text,
        human_label=None,
        label="positive",
        confidence=0.9,
        probabilities={"positive": 0.9, "negative": 0.1},
        model_name="starter",
        model_version="1",
        model_sha256="ab" * 32,
        scored_at=datetime(2024, 6, 1, tzinfo=UTC),
        language_known=True,
    )
    return usual._replace(**changes)  # type: ignore[arg-type]


def parsed(chunks: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(chunks.decode(), newline="")))


@given(st.lists(TEXTS, max_size=5), st.booleans())
def test_csv_gives_every_text_back_once_one_leading_apostrophe_is_taken_away(
    texts: list[str], guard: bool
) -> None:
    read = parsed(b"".join(csv_chunks([row(text) for text in texts], LABELS, guard)))
    found = [line["text"].removeprefix("'") if guard else line["text"] for line in read]
    assert found == texts


@given(TEXTS)
def test_no_guarded_cell_starts_a_formula(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("text", ["=1+1", "@murmur hello", "-1", "+1", "'quoted'", "＝1"])
def test_a_cell_that_could_be_a_formula_or_quoted_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_csv_has_a_column_for_each_label_and_nothing_where_a_model_lacks_one() -> None:
    (line,) = parsed(b"".join(csv_chunks([row()], [*LABELS, "neutral"], guard=True)))
    assert line["probability_positive"] == "0.9"
    assert line["probability_neutral"] == ""
    assert line["human_label"] == ""
    assert json.loads(line["rules"]) == ["weather, all", 'a"b']


def test_csv_of_many_rows_comes_in_pieces_with_one_header() -> None:
    chunks = list(csv_chunks([row(str(n)) for n in range(1200)], LABELS, guard=True))
    assert len(chunks) > 1
    assert [line["text"] for line in parsed(b"".join(chunks))] == [str(n) for n in range(1200)]


@given(TEXTS)
def test_a_json_line_is_one_line_with_the_text_as_it_was(text: str) -> None:
    (line,) = json_lines([row(text)])
    assert line.count(b"\n") == 1
    assert json.loads(line)["text"] == text


def test_times_are_told_in_utc_whatever_zone_the_database_answers_in() -> None:
    (line,) = json_lines([row()])
    assert json.loads(line)["posted_at"] == "2024-05-01T12:00:00.123000Z"
    (cells,) = parsed(b"".join(csv_chunks([row()], LABELS, guard=True)))
    assert cells["posted_at"] == "2024-05-01T12:00:00.123000Z"


def test_probabilities_are_sorted_so_that_equal_data_gives_equal_bytes() -> None:
    forwards = row(probabilities={"negative": 0.1, "positive": 0.9})
    assert list(json_lines([row()])) == list(json_lines([forwards]))
