"""Label files: every format gives the same rows, and what is no row is counted by its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.datasets.reading import UnusableLabels, label_files, read_labelled, read_texts
from schemas.label_files.row import Fault

TWEETEVAL = {"mapping.txt": "0\tcalm\t_calm_\n1\tcross", "test_text.txt": "a lake\nmy foot\n"}


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode())
    return folder


def texts_of(path: Path) -> list[tuple[str, str]]:
    return [(row.text, row.label) for row in read_labelled(path, labels=None).rows]


def unlabelled(path: Path) -> list[str]:
    return [text for file in read_texts(path) for text in file.texts]


def semeval(folder: Path, content: str) -> Path:
    return write(folder, **{"file.tsv": content}) / "file.tsv"


def test_every_format_gives_the_same_texts_and_labels(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "semeval.tsv": "12\tcalm\ta lake\n13\tcross\tmy foot",
            "own.csv": "id,text,label\n12,a lake,calm\n13,my foot,cross\n",
            "own.tsv": "label\ttext\r\ncalm\ta lake\r\ncross\tmy foot\r\n",
            "test_labels.txt": "0\n1\n",
            **TWEETEVAL,
        },
    )
    expected = [("a lake", "calm"), ("my foot", "cross")]
    for name in ("semeval.tsv", "own.csv", "own.tsv", "test_text.txt", "."):
        assert texts_of(tmp_path / name) == expected


def test_the_marks_of_semeval_are_taken_off_and_those_of_html_are_left(tmp_path: Path) -> None:
    file = semeval(
        tmp_path,
        '1\tcalm\t"He said ""so"" \\u002c and &amp;amp; went"\n'
        '2\tcalm\tan unpaired " stays\n'
        "3\tcalm\tthat\\u2019s it, \\ud83d is half a character\t\n",
    )
    assert [text for text, _ in texts_of(file)] == [
        'He said "so" , and &amp;amp; went',
        'an unpaired " stays',
        "that’s it, \\ud83d is half a character",
    ]


def test_a_time_behind_a_text_of_semeval_is_no_part_of_it_and_a_tab_within_is(
    tmp_path: Path,
) -> None:
    file = semeval(
        tmp_path,
        '1\tcalm\t"a lake"\tMon Aug 24 20:27:40 +0000 2015\n2\tcalm\ttwo\tparts\t\n'
        "3\tcalm\t\tMon Aug 24 20:27:40 +0000 2015\n",
    )
    read = read_labelled(file, labels=None)
    assert [row.text for row in read.rows] == ["a lake", "two\tparts"]
    assert read.faults == {Fault.EMPTY_TEXT: [3]}


def test_quotes_of_a_tsv_that_wrap_no_whole_text_are_left(tmp_path: Path) -> None:
    content = 'label\ttext\ncalm\t"To be" or "not to be"\ncalm\t "a lake" \n'
    file = write(tmp_path, **{"own.tsv": content}) / "own.tsv"
    assert [text for text, _ in texts_of(file)] == ['"To be" or "not to be"', "a lake"]


def test_a_row_of_a_csv_is_known_by_its_first_line(tmp_path: Path) -> None:
    content = 'text,label\n"one,\ntwo",calm\n\nthree,calm\n"four\n",\n'
    read = read_labelled(write(tmp_path, **{"own.csv": content}) / "own.csv", labels=None)
    assert [row.line for row in read.rows] == [2, 5]
    assert read.faults == {Fault.MISSING_COLUMN: [6]}


def test_rows_left_out_are_counted_by_their_lines(tmp_path: Path) -> None:
    file = semeval(
        tmp_path,
        "1\tcalm\tgood\n2\tcalm\n3\tcross\tNot Available\n4\tcross\t  \n5\tcros\tmistyped\n\n6",
    )
    read = read_labelled(file, labels=["calm", "cross"])
    assert [row.line for row in read.rows] == [1]
    assert read.faults == {
        Fault.MISSING_COLUMN: [2, 7],
        Fault.NOT_AVAILABLE: [3],
        Fault.EMPTY_TEXT: [4],
        Fault.UNKNOWN_LABEL: [5],
    }
    assert read.fault_counts()["missing column"] == 2


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("header", [["label", "text"], ["text", "label"]])
def test_a_row_with_more_columns_than_the_header_is_neither_cut_nor_relabelled(
    tmp_path: Path, header: list[str], separator: str
) -> None:
    good = dict(zip(["text", "label"], ["a lake", "calm"], strict=True))
    rows = [header, [good[name] for name in header], ["calm", "fine", " but"], ["calm", "calm", ""]]
    content = "".join(separator.join(row) + "\n" for row in rows)
    read = read_labelled(write(tmp_path, file=content) / "file", labels=None)
    assert [row.line for row in read.rows] == [2, 4]
    assert read.labels == ("calm",)
    assert read.faults == {Fault.SURPLUS_COLUMN: [3]}
    (said,) = read.fault_counts()
    assert "quote texts with commas" in said


def test_a_number_that_the_mapping_does_not_name_is_an_unknown_label(tmp_path: Path) -> None:
    folder = write(tmp_path, **{"test_labels.txt": "0\n7\n", **TWEETEVAL})
    read = read_labelled(folder, labels=None)
    assert (read.labels, read.fault_counts()) == (("calm", "cross"), {"unknown label": 1})


def test_a_stray_quote_in_a_tsv_swallows_no_line(tmp_path: Path) -> None:
    file = write(tmp_path, **{"own.tsv": 'text\tlabel\n"oh\tcross\nno"\tcross\n"a ""b"""\tcalm\n'})
    assert texts_of(file / "own.tsv") == [('"oh', "cross"), ('no"', "cross"), ('a "b"', "calm")]


def test_a_quoted_text_in_a_csv_may_span_lines(tmp_path: Path) -> None:
    file = write(tmp_path, **{"own.csv": 'text,label\n"one,\ntwo",calm\n'})
    assert texts_of(file / "own.csv") == [("one,\ntwo", "calm")]


def test_a_quote_that_nobody_closes_refuses_a_csv_and_swallows_no_row(tmp_path: Path) -> None:
    write(tmp_path, **{"own.csv": 'label,text\ncalm,"oh\ncross,no\ncalm,yes\n'})
    with pytest.raises(UnusableLabels, match="is not valid CSV"):
        texts_of(tmp_path / "own.csv")


# A byte order mark belongs to the file, not to its first text.
TEXTS = st.text(st.characters(exclude_characters="\ufeff", exclude_categories=["Cs"]), min_size=1)


@given(texts=st.lists(TEXTS.filter(str.strip), min_size=1))
def test_no_separator_but_a_line_feed_parts_the_texts_of_a_tweeteval_folder(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    texts = [" ".join(text.replace("\r", " ").split("\n")) for text in texts]
    folder = tmp_path_factory.mktemp("tweeteval")
    content = "".join(text + "\n" for text in texts).encode()
    write(folder, **{"mapping.txt": "0\tcalm", "test_labels.txt": "0\n" * len(texts)})
    (folder / "test_text.txt").write_bytes(content)
    assert sum(1 for _ in read_labelled(folder, labels=None).rows) == sum(
        1 for text in texts if text.strip() and text.strip() != "Not Available"
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"file": "hello\nworld\n"}, "is not a label file"),
        ({"file": ""}, "is not a label file"),
        ({"file": "1\tcalm\tNot Available\n"}, "text not available: 1"),
        ({"file": "text,label\n"}, "it is empty"),
        ({"file": "text,label\n" + "a" * 200_000 + ",calm\n"}, "is not valid CSV"),
        ({"other": ""}, "No such file"),
    ],
)
def test_a_file_without_labels_is_refused_in_one_line(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with pytest.raises(UnusableLabels, match=said) as refusal:
        read_labelled(write(tmp_path, **files) / "file", labels=None)
    assert "\n" not in str(refusal.value)


def test_texts_and_labels_that_are_not_equally_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableLabels, match=r"has 2 texts, .* 1 labels"):
        read_labelled(write(tmp_path, **{"test_labels.txt": "0\n", **TWEETEVAL}), labels=None)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text,label\n\xff,calm\n")
    with pytest.raises(UnusableLabels, match="not UTF-8 from byte 11"):
        read_labelled(tmp_path / "file", labels=None)


def test_a_folder_of_files_stands_for_all_of_them_that_may_hold_labels(tmp_path: Path) -> None:
    write(tmp_path, **{"b.tsv": "", "a.CSV": "", "semeval.txt": "1\tcalm\ta", "page.html": ""})
    found = label_files(tmp_path)
    assert [file.name for file in found] == ["a.CSV", "b.tsv", "semeval.txt"]
    assert read_labelled(found[2], labels=None).rows[0].text == "a"


@pytest.mark.parametrize("content", ["notes of mine", '{"a": "' + "b" * 200_000 + '"}'])
def test_a_file_that_holds_no_labels_is_named(tmp_path: Path, content: str) -> None:
    file = write(tmp_path, **{"notes.txt": content}) / "notes.txt"
    with pytest.raises(UnusableLabels, match=r"notes\.txt is no"):
        read_labelled(file, labels=None)


def test_texts_are_read_from_plain_files_label_files_and_folders_alike(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", **{"train_text.txt": "a\n", "val_text.txt": "b\n"})
    write(folder, **{"train_labels.txt": "0\n", **TWEETEVAL})
    write(tmp_path, **{"plain.txt": "c\n\nd\n", "own.csv": "text,label\ne,calm\n"})
    assert unlabelled(folder) == ["a", "b"]
    assert unlabelled(tmp_path / "plain.txt") == ["c", "d"]
    assert unlabelled(tmp_path / "own.csv") == ["e"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("some.csv", 'text,label\n"a, b",calm\nc,\nd\n,calm\nd,x,y\n'),
        ("alone.csv", 'text\n"a, b"\nc\nd\n" "\nd,x\n'),
        ("alone.tsv", "text\na, b\nc\nd\nNot Available\nd\tx\n"),
        ("other.csv", 'text,lang\n"a, b",en\nc,de\nd,\n,en\nd,x,y\n'),
        ("semeval.tsv", "1\tcalm\ta, b\n2\t\tc\n3\t\td\n4\tcalm\t\n5\tcalm\n"),
    ],
)
def test_every_text_counts_where_labels_do_not_matter(
    tmp_path: Path, name: str, content: str
) -> None:
    (read,) = read_texts(write(tmp_path, **{name: content}) / name)
    assert list(read.texts) == ["a, b", "c", "d"]
    assert sorted(line for lines in read.faults.values() for line in lines) in ([5, 6], [4, 5])


def test_a_file_without_a_column_of_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableLabels, match=r"nor a header with `text`$"):
        read_texts(write(tmp_path, **{"own.csv": "tweet,label\na,calm\n"}) / "own.csv")
