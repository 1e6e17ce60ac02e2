"""What unpacks to much, or is made to cost much, costs little and says why it is not read on."""

import bz2
import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from producers.archives import expansion, zip_members
from producers.archives.expansion import FREE_BYTES, DamagedFile, Expansion
from producers.archives.parquet_rows import parquet_rows
from producers.archives.records import Record
from producers.formats import quoted_rows
from producers.formats.quoted_rows import quoted_records
from producers.formats.v2_pages import tweets_of_page
from producers.parsing.faults import Unparsable
from producers.parsing.json_values import plain_json
from tests.unit.archive_replays import survey

HEAD = b"id,text\n1590000000000000001,words\n"
ZEROS = bytes(FREE_BYTES + 40 * 1024 * 1024)
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", PACKED)
def test_what_unpacks_to_far_more_than_an_archive_ends_in_a_word(tmp_path: Path, name: str) -> None:
    content = PACKED[name](HEAD + ZEROS)
    tracemalloc.start()
    try:
        found = survey(tmp_path / "a", content)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.events.total() == 1
    assert found.damage is not None
    assert "unpacks to more than 200 times its size" in found.damage
    assert peak_bytes < 100_000_000


def test_archives_of_usual_density_are_read_to_their_end() -> None:
    expansion = Expansion(1_000_000)
    pieces = (bytes(1_000_000) for _ in range(250))
    assert sum(map(len, expansion.bounded(pieces))) == 250_000_000
    with pytest.raises(DamagedFile):
        list(expansion.bounded(iter([bytes(20_000_000)])))


def test_a_large_zstd_window_is_refused_with_what_helps(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    found = survey(tmp_path / "a.zst", frame.compress(HEAD) + frame.flush())
    assert found.damage is not None
    assert "zstd window is 2,048 MiB" in found.damage
    assert "zstd -dc --long=31" in found.damage


def test_the_files_of_a_zip_are_bounded_together(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}.csv", HEAD + bytes(20_000_000))
    found = survey(tmp_path / "a.zip", packed.getvalue())
    assert found.damage is not None
    assert "unpacks to more than 200 times" in found.damage


def test_a_zip_with_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_members, "_MAX_LIST_BYTES", 40)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", HEAD)
    found = survey(tmp_path / "a.zip", packed.getvalue())
    assert found.damage is not None
    assert "its list of files has" in found.damage


def dictionary_bomb(path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000), pa.array(["x" * 4_000_000]))
    pq.write_table(pa.table({"text": texts}), path, compression="zstd")


def shared_beginnings(path: Path) -> None:
    table = pa.table({"text": ["x" * 100_000 + str(n) for n in range(3_000)]})
    encoding = {"text": "DELTA_BYTE_ARRAY"}
    pq.write_table(table, path, use_dictionary=False, column_encoding=encoding, compression="zstd")


def nulls(path: Path) -> None:
    pq.write_table(pa.table({"text": pa.nulls(8_000_000, pa.string())}), path)


@pytest.mark.parametrize("write", [dictionary_bomb, shared_beginnings, nulls])
def test_a_small_parquet_file_takes_little_memory(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.parquet"
    write(path)
    assert path.stat().st_size < 100_000
    largest = 0

    def read(file: BinaryIO) -> None:
        nonlocal largest
        before = pa.total_allocated_bytes()
        for _ in parquet_rows(file, ["text"]):
            largest = max(largest, pa.total_allocated_bytes() - before)

    tracemalloc.start()
    try:
        with path.open("rb") as opened, pytest.raises(DamagedFile, match="it unpacks to more than"):
            read(opened)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert largest < 60_000_000
    assert peak_bytes < 100_000_000


def test_a_parquet_page_that_unpacks_to_much_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"text": ["x" * 20_000_000]})
    pq.write_table(table, path, use_dictionary=False, compression="zstd")
    with path.open("rb") as file, pytest.raises(DamagedFile, match="a page of its column text"):
        list(parquet_rows(file, ["text"]))


@pytest.mark.parametrize("encoding", [None, "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("repeats", [1, 50])
def test_rows_are_read_whatever_their_encoding(
    tmp_path: Path, encoding: str | None, version: str, repeats: int
) -> None:
    texts = [f"words {n // repeats} é" if n % 7 else None for n in range(5_000)]
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"text": texts, "other": range(5_000)}),
        path,
        use_dictionary=encoding is None,
        column_encoding=None if encoding is None else {"text": encoding},
        data_page_version=version,
        row_group_size=2_000,
        dictionary_pagesize_limit=1_000,
    )
    with path.open("rb") as file:
        content = b"".join(parquet_rows(file, ["text"]))
    assert [json.loads(line)["text"] for line in content.splitlines()] == texts


def test_quotes_that_open_again_and_again_cost_some_lines_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each such line opens a quote, and keeps one open: none is ever closed."""
    looked_at = 0

    def counted(raw: bytes, *, escaped: bool) -> str:
        nonlocal looked_at
        looked_at += 1
        assert not escaped
        return raw.decode()

    monkeypatch.setattr(quoted_rows, "_text_of", counted)
    lines = [Record(number, b'a","') for number in range(1, 20_001)]
    assert list(quoted_records(iter(lines), ",")) == lines
    assert looked_at < 8 * len(lines)


def test_stray_quotes_that_are_few_leave_long_rows_whole() -> None:
    stray = [Record(number, b'a","') for number in range(1, 101)]
    plain = [Record(number, b"x,y") for number in range(101, 5_000)]
    row = [Record(5_000, b'1,"two'), *(Record(n, b"lines") for n in range(5_001, 5_900))]
    rows = list(quoted_records(iter([*stray, *plain, *row, Record(5_900, b'"')]), ","))
    assert rows[-1].raw.count(b"\n") == 900


def test_a_row_is_no_longer_than_a_line_may_be() -> None:
    taken = 0

    def long_lines() -> Iterator[Record]:
        nonlocal taken
        yield Record(1, b'1,"open')
        for number in range(2, 900):
            taken += 1
            yield Record(number, b"x," * 60_000)

    assert next(quoted_records(long_lines(), ",")).raw == b'1,"open'
    assert taken < 100


def test_json_that_would_take_much_more_memory_than_its_text_is_refused() -> None:
    with pytest.raises(Unparsable, match="too-large"):
        plain_json(b"[" + b"[]," * 500_000 + b"[]]")
    assert len(plain_json(b"[" + b"1," * 1_000 + b"1]")) == 1_001


@pytest.mark.parametrize("line", [b"\n", b",\n", b'a","\n', b"12345,words\n"])
def test_a_small_file_of_many_lines_is_given_up_early(tmp_path: Path, line: bytes) -> None:
    content = PACKED["zstd"](HEAD + line * (20_000_000 // len(line)))
    assert len(content) < 50_000
    found = survey(tmp_path / "a", content, force=True)
    assert found.damage is not None
    assert "a line for every 4 bytes" in found.damage
    assert found.lines <= expansion.FREE_LINES


def test_what_a_page_includes_is_repeated_within_bounds() -> None:
    included = {"id": "1", "text": "words " * 5_000, "entities": {"urls": []}}
    refers = {"id": "1590000000000000001", "referenced_tweets": [{"type": "quoted", "id": "1"}]}
    page = {"data": [refers] * 2_000, "includes": {"tweets": [included]}}
    raw = json.dumps(page).encode()
    parts = list(tweets_of_page(Record(1, raw)))
    assert len(parts) == 2_000
    assert sum(len(part.raw) for part in parts) < 6 * len(raw)
    assert parts[0].unreadable is None
    assert b"entities" not in parts[0].raw
    assert parts[-1].unreadable is not None
    assert "split it" in parts[-1].unreadable.detail
