"""Reading: decompressing, splitting into lines, finding rows, telling formats apart."""

import bz2
import gzip
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from producers.archives.compression import decompressed
from producers.archives.expansion import DamagedFile
from producers.archives.inputs import Input
from producers.archives.json_elements import json_elements
from producers.archives.line_ends import line_end_of
from producers.archives.lines import KEPT_BYTES, LineReader
from producers.archives.opening import content_of
from producers.archives.records import Record
from producers.formats.archive_format import FormatOptions
from producers.formats.named_values import tweet_of_values
from producers.formats.quoted_rows import MAX_ROW_LINES, cells_of, quoted_records
from producers.formats.registry import choose_format
from producers.parsing.provenance import Origin
from producers.replay.inspect_files import prepare_files
from schemas.failures import Failure

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def raws(lines: Iterator[Record]) -> list[bytes]:
    return [line.raw for line in lines]


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
@given(parts=st.lists(st.binary(min_size=1), min_size=1, max_size=3))
def test_all_members_of_a_file_are_read(
    compress: Callable[[bytes], bytes], parts: list[bytes]
) -> None:
    parts = [b"start", *parts]
    stored = b"".join(map(compress, parts))
    assert b"".join(decompressed(io.BytesIO(stored))) == b"".join(parts)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "zstd"])
def test_a_cut_file_gives_what_is_whole_and_then_says_that_it_is_damaged(name: str) -> None:
    compress = COMPRESSIONS[name]
    stored = compress(b"whole\n" * 1000) + compress(b"cut\n" * 1000)[:-5]
    pieces = decompressed(io.BytesIO(stored))
    read: list[bytes] = []
    with pytest.raises(DamagedFile, match=name):
        read.extend(pieces)
    assert b"".join(read).startswith(b"whole\n" * 1000)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "zstd"])
def test_damage_becomes_one_unreadable_record_at_its_line(name: str) -> None:
    stored = COMPRESSIONS[name](b"one\ntwo\n") + COMPRESSIONS[name](b"three\n" * 9000)[:9]
    reader = LineReader(decompressed(io.BytesIO(stored)))
    *good, last = list(reader)
    assert raws(iter(good)) == [b"one", b"two"]
    assert last.line == 3
    assert last.unreadable is not None
    assert reader.damage == last.unreadable.detail


texts_with_ends = st.lists(
    st.binary(max_size=8) | st.sampled_from([b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf"]), max_size=12
).map(b"".join)


@given(texts_with_ends, st.lists(st.integers(0, 60), max_size=6))
@example(b"\xef\xbb\xbfa\rb\rc", [])
@example(b"a\r\nb\rc\r\n", [2])
def test_lines_do_not_depend_on_how_the_pieces_fall(content: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    pieces = [content[a:b] for a, b in pairwise(edges)]
    end = line_end_of(content)
    wanted = content.removesuffix(end).split(end) if content else []
    for in_parts in (False, True):
        lines = list(LineReader(pieces, in_parts=in_parts))
        assert {line.line for line in lines} == set(range(1, len(wanted) + 1))
        if not in_parts:
            bare = [line.removeprefix(b"\xef\xbb\xbf") for line in wanted]
            assert raws(iter(lines)) == [
                line.removesuffix(b"\r").removeprefix(b"\n") for line in bare
            ]


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (b"", b"\n"),
        (b"one line", b"\n"),
        (b"a\nb\n", b"\n"),
        (b"a\r\nb\r\n", b"\n"),
        (b"a\rb\rc", b"\r"),
        (b'a\r"b\nb"\rc\r', b"\r"),
        (b"a text \r with one\nb\nc\n", b"\n"),
        (b"x" * 65_535 + b"\r\ny\r\n", b"\n"),
    ],
)
def test_lone_carriage_returns_end_lines_where_they_are_the_line_ends(
    content: bytes, end: bytes
) -> None:
    assert line_end_of(content) == end


@pytest.mark.parametrize("piece_bytes", [1 << 10, 1 << 20])
def test_an_overlong_line_keeps_its_beginning_and_the_next_one_is_read(piece_bytes: int) -> None:
    content = b"a\n" + b"b" * 300_000 + b"\nc\n"
    pieces = [content[n : n + piece_bytes] for n in range(0, len(content), piece_bytes)]
    first, long, last = LineReader(pieces, max_line_bytes=200_000)
    assert (first.raw, last.raw, last.line) == (b"a", b"c", 3)
    assert long.raw == b"b" * KEPT_BYTES
    assert long.unreadable is not None
    assert long.unreadable.reason == "too-large"


def records(*lines: bytes) -> Iterator[Record]:
    return iter([Record(number, line) for number, line in enumerate(lines, 1)])


def test_a_quoted_cell_may_hold_line_breaks() -> None:
    rows = list(quoted_records(records(b'1,"a', b"", b'b"', b"2,c"), ","))
    assert rows == [Record(1, b'1,"a\n\nb"'), Record(4, b"2,c")]
    assert cells_of(rows[0].raw, ",", quoting=True) == ["1", "a\n\nb"]


@pytest.mark.parametrize("following", [3, MAX_ROW_LINES * 2])
def test_a_quote_that_is_never_closed_costs_its_own_line_only(following: int) -> None:
    others = [b"%d,x" % number for number in range(following)]
    rows = list(quoted_records(records(b'0,"open', *others), ","))
    assert raws(iter(rows)) == [b'0,"open', *others]


def test_a_page_above_its_bound_is_one_unreadable_record() -> None:
    (page,) = json_elements(records(b"{" * 100, b"}" * 100), max_element_bytes=150)
    assert page.unreadable is not None
    assert page.unreadable.reason == "too-large"


HEADERLESS = FormatOptions(columns=("id", "text"))


@pytest.mark.parametrize(
    ("beginning", "options", "name"),
    [
        (b'{"data":{"id":"1","text":"x"}}\n', FormatOptions(), "x-v2"),
        (b'broken\n{"data":{"id":"1","text":"x"}}\n', FormatOptions(), "x-v2"),
        (b'{"data":{"id":"1","te', FormatOptions(), "x-v2"),
        (b'\xef\xbb\xbf{\n  "data": []\n}', FormatOptions(), "x-v2"),
        (b"id\ttext\n1\thi, you\n", FormatOptions(), "tsv"),
        (b'"id","Text"\n1,hi\n', FormatOptions(), "csv"),
        (b"1\thi, you\n", HEADERLESS, "tsv"),
        (b"1,hi\n", HEADERLESS, "csv"),
        (b"", FormatOptions(), "x-v2"),
        (b'{"id_str":"1","text":"x"}\n', FormatOptions(), "x-v1.1"),
        (b'{"limit":{"track":1}}\n', FormatOptions(), "x-v1.1"),
        (b'{"id":"1","text":"x","author":{"id":"2"}}\n', FormatOptions(), "twarc-flat"),
        (b'{"id":"1","text":"x","label":"y"}\n', FormatOptions(), "json-columns"),
        (b"window.YTD.tweet.part0 = [ {\n", FormatOptions(), "account-export"),
        (
            b'"0","1","Mon Apr 06 22:19:45 PDT 2009","NO_QUERY","u","x"\n',
            FormatOptions(),
            "sentiment140",
        ),
        (
            b"tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n",
            FormatOptions(),
            "twcs",
        ),
        (b"1\tneutral\tsome words\n", FormatOptions(), "semeval"),
    ],
)
def test_the_format_is_told_by_content(beginning: bytes, options: FormatOptions, name: str) -> None:
    assert choose_format(beginning, options, None).name == name


@pytest.mark.parametrize(
    "beginning",
    [
        b"1\tmellow\tsome words\n",
        b"window.YTD.deleted_tweets.part0 = [",
        b"PK\x03\x04",
        b"\xff\xfe{",
    ],
)
def test_what_no_format_recognises_is_refused_with_a_hint(beginning: bytes) -> None:
    with pytest.raises(Failure, match=r"--format|UTF-8|unpack"):
        choose_format(beginning, FormatOptions(), None)


@pytest.mark.parametrize(
    "page",
    [
        b'{\n "data": [\n  {"id":"1","text":"x"}\n ]\n}\n',
        b'{"data": [\n{"id":"1","text":"x"},\n{"id":"2","text":"y"}\n]}',
    ],
)
def test_a_page_over_several_lines_is_one_record(tmp_path: Path, page: bytes) -> None:
    path = tmp_path / "page.json"
    path.write_bytes(page)
    (file,) = prepare_files([Input(path, named=True)], FormatOptions(), None).files
    assert file.reader is not None
    assert len(list(file.reader.records(iter(LineReader([page]))))) == 1


@pytest.mark.parametrize("columns", [("id", "words"), ("text", "text")])
def test_columns_without_a_text_or_named_twice_are_refused(
    tmp_path: Path, columns: tuple[str, ...]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"1,2\n")
    with pytest.raises(Failure, match=r"rows\.csv: .*column"):
        prepare_files([Input(path, named=True)], FormatOptions(columns=columns), "csv")


def test_texts_that_parquet_holds_as_bytes_are_read_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "bytes.parquet"
    pq.write_table(pa.table({"text": pa.array(["é".encode(), b"\xff!"], pa.binary())}), path)
    with path.open("rb") as file:
        rows = [line.raw.decode() for line in LineReader(content_of(file, ["text"]))]
    assert rows == ['{"text":"é"}', '{"text":"\ufffd!"}']


def test_a_parquet_file_without_a_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.parquet"
    pq.write_table(pa.table({"words": ["not a known column"]}), path)
    with pytest.raises(Failure, match=r"words\.parquet: there is no column named text"):
        prepare_files([Input(path, named=True)], FormatOptions(), None)


@pytest.mark.parametrize(
    ("label", "known"), [(True, "true"), (False, "false"), (1.0, "1"), (0.5, "0.5"), (None, None)]
)
def test_a_label_may_be_any_plain_value(label: object, known: str | None) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    origin = Origin("r", now, "json-columns", "ab" * 32)
    tweet = tweet_of_values({"text": "x", "label": label}, origin=origin, received_at=now, line=1)
    assert tweet.label == known
