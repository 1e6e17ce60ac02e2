"""Tables: whether a lone column is CSV, and what is said of a header that names no text."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from producers.archives.compression import decompressed
from producers.archives.inputs import Input
from producers.archives.lines import LineReader
from producers.formats.archive_format import FormatOptions
from producers.parsing.provenance import Origin
from producers.replay.inspect_files import prepare_files
from retrain.datasets.reading import read_labelled
from schemas.events import TweetPosted
from schemas.failures import Failure
from schemas.label_files.delimited import delimited_rows


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.csv", b'text\n"Hello, ""world"""\nplain\n', ['Hello, "world"', "plain"]),
        ("a.CSV.gz", b'text\n"So true"\nplain\n', ["So true", "plain"]),
        ("a.txt", b'text\n"Hello, ""world"""\nplain', ['Hello, "world"', "plain"]),
        ("a", b'"text"\n"one"\n"two\nlines"\n', ["one", "two\nlines"]),
        ("a", b'text\nwell, well\n"To be" they said\n', ["well, well", '"To be" they said']),
    ],
)
def test_a_lone_column_is_csv_by_its_name_or_where_its_rows_are_quoted(
    tmp_path: Path, name: str, content: bytes, texts: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert texts_of(path, FormatOptions()) == texts


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a", b'text\nwell, well\n"So true"\n'),
        ("a", b'text\nwell\n"So true"\n'),
        ("a.tsv", b'text\n"Hello, ""world"""\n'),
        ("a", b"text\n"),
    ],
)
def test_a_lone_column_that_may_be_both_is_refused(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Failure, match=r"--format csv or --format tsv"):
        texts_of(path, FormatOptions())


def test_a_lone_column_may_be_named_for_a_file_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'one\n"Hello, ""world"""\n')
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0")
    assert texts_of(path, FormatOptions(columns=("text",))) == ["one", 'Hello, "world"']
    with pytest.raises(Failure, match="format is not recognised"):
        texts_of(tmp_path / "b.jpg", FormatOptions(columns=("text",)))


@pytest.mark.parametrize(
    ("quoting", "texts"),
    [
        (None, ['a "b"', '"To be" or "not"', "that\\u2019s"]),
        (False, ['"a ""b"""', '"To be" or "not"', "that\\u2019s"]),
    ],
)
def test_in_a_tsv_only_the_quotes_around_a_whole_cell_are_taken_off_unless_none_shall_be(
    tmp_path: Path, quoting: bool | None, texts: list[str]
) -> None:
    """Its header tells it from SemEval's rows, whose escapes are decoded."""
    path = tmp_path / "a.tsv"
    path.write_bytes(
        b'id\tlabel\ttext\n1\tneutral\t"a ""b"""\n2\tneutral\t"To be" or "not"\n'
        b"3\tneutral\tthat\\u2019s\n"
    )
    assert texts_of(path, FormatOptions(quoting=quoting)) == texts


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (
            b'id,text\n1,"he said \\"hi\\", twice"\n2,"a \\\\ b"\n',
            ['he said "hi", twice', "a \\ b"],
        ),
        (b'id,text\n1,"over\ntwo \\"lines\\""\n2,"\\"one\\""\n', ['over\ntwo "lines"', '"one"']),
        (b'id,text\n1,"C:\\"\n2,"say ""hi"" \\"\n', ["C:\\", 'say "hi" \\']),
    ],
)
def test_quotes_that_backslashes_escape_are_read_where_the_rows_show_it(
    tmp_path: Path, content: bytes, texts: list[str]
) -> None:
    """Spark and MySQL write them so; a backslash at the end of a doubled cell is a backslash."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert texts_of(path, FormatOptions()) == texts
    assert [row.text for _, row in delimited_rows(content.decode().splitlines(), ",")] == texts


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b'id;text;label\n1;"a; b";positive\n2;well, so, it is;negative\n', None),
        (b'1;"a; b";positive\n2;well, so, it is;negative\n', ("id", "text", "label")),
        (b'2;well, so, it is;negative\n1;"a; b";positive\n', ("id", "text", "label")),
    ],
)
def test_semicolons_part_the_cells_where_the_header_or_the_rows_show_it(
    tmp_path: Path, content: bytes, columns: tuple[str, ...] | None
) -> None:
    """Spreadsheets write them where a comma stands in numbers; training reads the same texts."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert sorted(texts_of(path, FormatOptions(columns=columns))) == ["a; b", "well, so, it is"]
    if columns is None:
        read = read_labelled(path, labels=None)
        assert [row.text for row in read.rows] == ["a; b", "well, so, it is"]


@given(texts=st.lists(st.text('ab \\",\n', max_size=20), min_size=1, max_size=3))
@example(texts=['"', "\\"])
def test_what_spark_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    texts = [*['say "so"'] * 30, *(f"x{text}x" for text in texts)]
    cells = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    rows = "".join(f'{number},"{cell}"\n' for number, cell in enumerate(cells, 10_000))
    path = tmp_path_factory.mktemp("spark") / "a.csv"
    path.write_text(f"id,text\n{rows}", encoding="utf-8")
    assert texts_of(path, FormatOptions()) == texts


def texts_of(path: Path, options: FormatOptions) -> list[str]:
    (file,) = prepare_files([Input(path, named=True)], options, None).files
    assert file.reader is not None
    now = datetime(2026, 11, 21, tzinfo=UTC)
    with path.open("rb") as opened:
        rows = file.reader.records(iter(LineReader(decompressed(opened))))
        origin = Origin("r", now, file.format_name, "ab" * 32)
        events = [each for row in rows for each in file.reader.parse(row, origin, now).events]
    return [event.text for event in events if isinstance(event, TweetPosted)]


@pytest.mark.parametrize("named", [None, "csv"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Id,txt,lbl\n1,hi,2\n", "the header has id, txt, lbl; none is named text: .*--columns"),
        (b"id,txt\n1,hi\n", "remove the header line and name the columns"),
        (b"id|text|label\n1|hi|2\n", "are separated by bars"),
    ],
)
def test_wrong_column_names_are_told(
    tmp_path: Path, content: bytes, said: str, named: str | None
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Failure, match=said):
        prepare_files([Input(path, named=True)], FormatOptions(), named)
