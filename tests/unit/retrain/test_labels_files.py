"""Files of labels: what each format means, and what cannot be meant."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.labels.export_labels import LabelledTweet, as_file
from retrain.labels.files.file_row import Fault, FileRow
from retrain.labels.files.reading import FileFormat, read_labels
from schemas.failures import Failure
from schemas.formula_guard import guarded, unguarded
from tests.unit.examples import RECEIVED_AT


def rows_of(tmp_path: Path, content: str | bytes) -> list[FileRow]:
    file = tmp_path / "labels"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_labels(file)


def usable(rows: list[FileRow]) -> list[tuple[str, str, str]]:
    return [(row.tweet_id, row.label, row.labeller) for row in rows if row.fault is None]


@pytest.mark.parametrize(
    "content",
    [
        "id,label\n1,calm\n2,cross\n",
        "\ufeffLabel;Tweet_ID\r\ncalm;1\r\ncross;2\r\n",
        'text\ttweet_id\tlabel\n"tram late\t1\tcalm\nso "nice"\t2\tcross\n',
        'root_id,text,label\n1,"two\nlines, a ""quote""",calm\n\n2,,cross\n',
        "id,label\n'1,'calm\n2,cross",
    ],
)
def test_delimited_files_are_read_by_their_header(tmp_path: Path, content: str) -> None:
    assert [row[:2] for row in usable(rows_of(tmp_path, content))][1:] == [("2", "cross")]
    assert len(rows_of(tmp_path, content)) == 2


def test_label_studios_csv_names_its_labellers_and_its_number_is_no_tweet(tmp_path: Path) -> None:
    content = (
        '"annotation_id","annotator","created_at","id","label","root_id"\n'
        '7,"ann@example.org","2026-11-21T09:30:00Z",1,"calm","10"\n8,"bob","",2,"calm",""\n'
    )
    rows = rows_of(tmp_path, content)
    assert usable(rows) == [("10", "calm", "ann@example.org"), ("", "calm", "bob")]
    assert rows[0].labelled_at == "2026-11-21T09:30:00Z"


def test_delimited_files_name_the_line_of_each_row(tmp_path: Path) -> None:
    content = 'id,label,text\n1,calm,"a\nb"\n8.0E+17,calm,\n3,,\n'
    rows = rows_of(tmp_path, content)
    assert [(row.place, row.fault) for row in rows] == [
        ("line 2", None),
        ("line 4", Fault.ROUNDED_ID),
        ("line 5", None),
    ]


@pytest.mark.parametrize(
    "content",
    ["", "1,calm\n", "id,text\n1,x\n", 'id,label\n1,"calm\n', b"id,label\n\xff\xfe,calm\n", "[1]"],
)
def test_other_files_are_refused_by_name(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(Failure, match=str(tmp_path)):
        rows_of(tmp_path, content)


def test_label_studios_json_has_a_row_for_each_annotation(tmp_path: Path) -> None:
    def annotation(label: str, who: object, **more: object) -> dict[str, object]:
        result = {
            "from_name": "sentiment",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": [label]},
        }
        return {
            "id": 7,
            "completed_by": who,
            "result": [result] if label else [],
            "was_cancelled": False,
            "created_at": "2026-11-21T09:30:00.123456Z",
            **more,
        }

    span = {"type": "labels", "value": {"start": 0, "end": 2, "labels": ["calm"]}}
    tasks = [
        {
            "id": 1,
            "data": {"text": "x", "tweet_id": "10"},
            "annotations": [
                annotation("calm", 3),
                annotation("cross", {"id": 4, "email": "bob@example.org"}),
                annotation("", 5, was_cancelled=True),
            ],
        },
        {"id": 2, "data": {"text": "y", "tweet_id": "20"}, "annotations": []},
        {
            "id": 3,
            "data": {"text": "z", "tweet_id": "30"},
            "annotations": [{"result": [span]}],
            "predictions": [{"result": []}],
        },
        {"id": 4, "data": "nothing"},
    ]
    rows = rows_of(tmp_path, json.dumps(tasks))
    assert usable(rows) == [("10", "calm", "3"), ("10", "cross", "bob@example.org")]
    assert [row.fault for row in rows[2:]] == [
        Fault.CANCELLED,
        Fault.NO_LABEL,
        Fault.SPANS,
        Fault.UNREADABLE,
    ]
    assert rows[4].answer_shown


def test_label_studios_json_min_has_flat_rows_whose_number_is_no_tweet(tmp_path: Path) -> None:
    flat = {"id": 5, "tweet_id": "10", "text": "x", "annotator": 1, "annotation_id": 2}
    rows = rows_of(
        tmp_path,
        json.dumps(
            [
                {**flat, "sentiment": "calm"},
                {**flat, "label": {"choices": ["calm", "cross"]}},
                {"id": 6, "text": "x", "label": "calm"},
            ]
        ),
    )
    assert usable(rows) == [("10", "calm", "1"), ("", "calm", "")]
    assert rows[1].fault is Fault.MANY_LABELS


def test_doccano_lines_have_one_label_of_the_whole_text(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "text": "x", "label": ["calm"], "tweet_id": "10", "Comments": []},
        {"id": 2, "text": "x", "labels": ["cross"], "meta": {"root_id": "20"}},
        {"id": "30", "text": "x", "label": "calm"},
        {"id": 4, "text": "x", "label": [], "tweet_id": "40"},
        {"id": 5, "text": "x", "label": ["calm", "cross"], "tweet_id": "50"},
        {"id": 6, "text": "x", "label": [[0, 1, "calm"]], "tweet_id": "60"},
    ]
    rows = rows_of(tmp_path, "\n".join(map(json.dumps, lines)) + "\n{\n")
    assert [row[:2] for row in usable(rows)] == [("10", "calm"), ("20", "cross"), ("30", "calm")]
    assert [row.fault for row in rows[3:]] == [
        Fault.NO_LABEL,
        Fault.MANY_LABELS,
        Fault.SPANS,
        Fault.UNREADABLE,
    ]


def test_nested_beyond_reason_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    deep = '{"a":' * 100_000
    assert [row.fault for row in rows_of(tmp_path, deep)] == [Fault.UNREADABLE]
    with pytest.raises(Failure):
        rows_of(tmp_path, "[" * 100_000)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


@pytest.mark.parametrize("form", list(FileFormat))
@pytest.mark.parametrize("with_predictions", [False, True])
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), labeller=st.sampled_from(["ann", "=b", "'"]))
def test_what_is_exported_comes_back(
    form: FileFormat,
    with_predictions: bool,
    texts: list[str],
    labeller: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tweets = [
        LabelledTweet(
            root_id=str(number),
            version=number,
            text=text,
            origin="audit",
            model_label="cross",
            model_confidence=0.5,
            model_version="m 1",
            label="-calm",
            labeller=labeller,
            repeat=number % 2,
            labelled_at=RECEIVED_AT,
        )
        for number, text in enumerate(texts)
    ]
    file = tmp_path_factory.mktemp("labels") / "file"
    file.write_bytes(b"".join(as_file(tweets, form, with_predictions=with_predictions)))
    rows = [row._replace(place="") for row in read_labels(file)]
    assert rows == [
        FileRow(
            "",
            tweet.root_id,
            "-calm",
            labeller,
            RECEIVED_AT.isoformat().replace("+00:00", "Z"),
            str(tweet.version),
            "audit",
            str(tweet.repeat),
            answer_shown=with_predictions,
        )
        for tweet in tweets
    ]
    assert (b"cross" in file.read_bytes()) == with_predictions


@given(TEXTS)
def test_a_guarded_cell_gives_its_text_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
