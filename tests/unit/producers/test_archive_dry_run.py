"""Looking at archives without publishing: every line accounted for, every damage told."""

import bz2
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.byte_stream import PieceFile
from producers.archives.inputs import STANDARD_INPUT, Input, inputs_of
from producers.formats.archive_format import FormatOptions
from producers.replay.dry_run import Survey, survey_files
from producers.replay.inspect_files import Prepared, hash_files, prepare_files
from producers.replay.time_range import Times
from schemas.failures import Failure
from tests.stack import MURMUR

GOLDEN = Path(__file__).parents[2] / "golden" / "archives"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def line(number: int) -> bytes:
    return b'{"data":{"id":"%d","text":"%d words"}}\n' % (
        1_590_000_000_000_000_000 + number,
        number,
    )


def prepared(*arguments: Path | str) -> Prepared:
    return prepare_files(inputs_of([str(each) for each in arguments]), FormatOptions(), None)


def surveys(*arguments: Path | str, times: Times | None = None) -> list[Survey]:
    return survey_files(prepared(*arguments).files, times or Times(), lambda: NOW)


def survey(path: Path, content: bytes) -> Survey:
    path.write_bytes(content)
    (found,) = surveys(path)
    return found


@pytest.mark.parametrize("name", PACKED)
def test_a_truncated_file_gives_what_is_whole_and_says_where_it_ends(
    tmp_path: Path, name: str
) -> None:
    content = b"".join(map(line, range(5_000)))
    packed = PACKED[name](content) + PACKED[name](content)
    found = survey(tmp_path / "cut", packed[:-40])
    assert found.damage is not None
    assert f"damaged {name} data" in found.damage
    assert found.events["TweetPosted"] >= 5_000
    assert found.refused == {"unreadable-line": 1}
    assert found.examples["unreadable-line"][0].startswith(f"cut:{found.lines + 1}: damaged")


def test_a_truncated_parquet_file_says_so(tmp_path: Path) -> None:
    whole = (GOLDEN / "columns.parquet").read_bytes()
    found = survey(tmp_path / "cut.parquet", whole[:-20])
    assert found.damage is not None
    assert found.damage.startswith("damaged Parquet file: ")
    assert found.refused == {"unreadable-line": 1}


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)])
@pytest.mark.parametrize("format_name", [None, "csv"])
def test_an_empty_file_is_passed_over_and_refused_where_it_is_the_only_one(
    tmp_path: Path, content: bytes, format_name: str | None
) -> None:
    (tmp_path / "empty").write_bytes(content)
    (tmp_path / "lines.jsonl").write_bytes(line(0))
    inputs = [Input(tmp_path / name, named=True) for name in ("empty", "lines.jsonl")]
    with pytest.raises(Failure, match=r"^[^:]*/empty: it is empty$"):
        prepare_files(inputs[:1], FormatOptions(("text",)), format_name)
    # As CSV its lines are none; what is empty is passed over all the same.
    found = prepare_files(inputs, FormatOptions(("text",)), format_name, force=True)
    assert [each.name for each in found.files] == ["lines.jsonl"]
    assert found.passed_over == [(str(tmp_path / "empty"), "it is empty")]


def test_empty_standard_input_is_refused_before_a_run_is_made() -> None:
    command = [str(MURMUR), "replay", "-"]
    shown = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert shown.returncode == 1
    assert shown.stdout == b""
    assert b"standard input: it is empty" in shown.stderr


def test_a_file_that_is_damaged_from_its_beginning_is_not_called_empty(tmp_path: Path) -> None:
    found = survey(tmp_path / "cut.gz", gzip.compress(line(0))[:12])
    assert found.damage is not None


def test_a_line_in_another_encoding_costs_itself_only(tmp_path: Path) -> None:
    latin_1 = '{"data":{"id":"1","text":"caf\xe9"}}\n'.encode("latin-1")
    found = survey(tmp_path / "mixed", line(1) + latin_1 + line(2))
    assert found.events.total() == 2
    assert found.examples == {"unreadable-line": ["mixed:2: not valid UTF-8 at byte 29"]}


def test_a_line_of_50_mb_costs_itself_only_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(line(1) + b'{"data":{"text":"')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}}\n' + line(2))
    tracemalloc.start()
    try:
        (found,) = surveys(path)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.events.total() == 2
    assert found.refused == {"too-large": 1}
    assert peak_bytes < 40_000_000


def test_a_folder_is_read_whole_but_for_what_is_no_archive(tmp_path: Path) -> None:
    for number in range(300):
        folder = tmp_path / str(number % 7)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.jsonl").write_bytes(line(number))
    (tmp_path / "picture.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / ".hidden").write_bytes(line(0))
    found = prepared(tmp_path)
    assert [each.file for each in found.passed_over] == [str(tmp_path / "picture.jpg")]
    assert "format is not recognised" in found.passed_over[0].why
    all_events = sum(each.events.total() for each in surveys(tmp_path))
    assert all_events == 300
    pattern = str(tmp_path / "[12]" / "*.jsonl")
    assert {each.path.parent.name for each in prepared(pattern).files} == {"1", "2"}


@pytest.mark.parametrize("argument", [".", "*", "[ab]/**/*.jsonl"])
def test_files_come_in_the_order_of_the_numbers_in_their_names(
    tmp_path: Path, argument: str
) -> None:
    names = ["a/2026-11-2T9.jsonl", "a/2026-11-2T10.jsonl", "a/2026-11-21T3.jsonl", "b/1.jsonl"]
    for name in reversed(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(line(0))
    found = inputs_of([str(tmp_path / argument)])
    assert [str(each.path.relative_to(tmp_path)) for each in found] == names


@pytest.mark.parametrize("argument", ["nowhere.jsonl", "nothing*"])
def test_what_means_no_file_is_refused(tmp_path: Path, argument: str) -> None:
    with pytest.raises(Failure, match=r"no such file|no files found"):
        inputs_of([str(tmp_path / argument)])


def test_texts_and_labels_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "test_text.txt").write_text("one\ntwo\n")
    (tmp_path / "test_labels.txt").write_text("0\n")
    with pytest.raises(
        Failure, match=r"it has 2 lines and test_labels\.txt has 1: each text needs one"
    ):
        prepared(tmp_path / "test_text.txt")


def test_a_label_s_name_may_be_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "test_text.txt").write_text("one\n")
    (tmp_path / "test_labels.txt").write_text("0\n")
    (tmp_path / "mapping.txt").write_bytes(b"0\tcaf\xe9\n")
    (found,) = surveys(tmp_path / "test_text.txt")
    assert found.labels == {"caf\ufffd": 1}


@pytest.mark.parametrize("beside", ["test_labels.txt", "mapping.txt"])
def test_labels_and_names_of_any_size_take_little_memory(tmp_path: Path, beside: str) -> None:
    (tmp_path / "test_text.txt").write_text("one\n")
    (tmp_path / "test_labels.txt").write_text("0\n")
    with (tmp_path / beside).open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Failure, match=beside):
            prepared(tmp_path / "test_text.txt")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 20_000_000


@given(st.lists(st.sampled_from([line(1), b"\n", b"broken\n", b"[]\n", b"\xff\n", line(2)])))
def test_every_line_is_an_event_or_refused_or_skipped(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    found = survey(tmp_path_factory.getbasetemp() / "lines", line(0) + b"".join(lines))
    assert found.lines == len(lines) + 1
    counted = found.events.total() + found.refused.total() + found.skipped.total()
    assert counted == found.lines


def test_a_dry_run_needs_no_server_and_tells_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "tweets.jsonl"
    path.write_bytes(
        line(0) + b"broken\n" + line(1) + b'{"data":{"delete":{"tweet":{"id":"5"}}}}\n'
    )
    nowhere = {"MURMUR_KAFKA": "127.0.0.1:1", "MURMUR_POSTGRES": "postgresql://127.0.0.1:1/x"}
    command = [str(MURMUR), "replay", "--dry-run", str(path)]
    shown = subprocess.run(
        [*command, "--json"], env=os.environ | nowhere, capture_output=True, check=False
    )
    assert shown.returncode == 0, shown.stderr.decode()
    (file,) = json.loads(shown.stdout)["files"]
    assert (file["format"], file["lines"]) == ("x-v2", 4)
    assert file["events"] == {"TweetDeleted": 1, "TweetPosted": 2}
    assert file["not_read"]["not-json"]["count"] == 1
    assert file["oldest"].startswith("2022-11-08T15:15:15")


def test_a_file_whose_name_is_no_utf_8_is_told_of_nevertheless(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jsonl"
    with open(path, "wb") as file:  # noqa: PTH123 (Path takes no bytes)
        file.write(line(0) + b"broken\n")
    command = [os.fsencode(MURMUR), b"replay", b"--dry-run", path, b"--json"]
    shown = subprocess.run(command, capture_output=True, check=False)
    assert shown.returncode == 0, shown.stderr.decode()
    (found,) = json.loads(shown.stdout)["files"]
    assert found["file"].endswith("/caf\ufffd.jsonl")
    assert found["not_read"]["not-json"]["examples"][0].startswith("caf\ufffd.jsonl:2: ")


def test_standard_input_is_read_as_a_file_is() -> None:
    content = gzip.compress(b"".join(map(line, range(2_000))))
    command = [str(MURMUR), "replay", "--dry-run", "--json", "-"]
    shown = subprocess.run(command, input=content, capture_output=True, check=False)
    assert shown.returncode == 0, shown.stderr.decode()
    assert json.loads(shown.stdout)["files"][0]["events"] == {"TweetPosted": 2_000}


@pytest.mark.parametrize(
    ("parts", "events"),
    [
        ([b"{\n", b'"statuses":[\n', b'{"id_str":"1","full_text":"one"}', b"]}\n"], 1),
        ([b"[\n", b'{"id":"1","text":"one"},\n{"id":"2"', b',"text":"two"}]'], 2),
        ([line(0), line(1)], 2),
    ],
)
def test_what_comes_slowly_is_read_as_what_comes_at_once(parts: list[bytes], events: int) -> None:
    pipe = io.BufferedReader(PieceFile(iter(parts)))
    inputs = [Input(STANDARD_INPUT, named=True)]
    files = prepare_files(inputs, FormatOptions(), None, standard_input=pipe).files
    (found,) = survey_files(files, Times(), lambda: NOW)
    assert found.events == {"TweetPosted": events}


OPENED: list[str] = []
"""What is opened while `_watched` names it; an audit hook cannot be taken away again."""

_watched: set[str] = set()


def _note_opening(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and str(arguments[0]) in _watched:
        OPENED.append(str(arguments[0]))


def test_a_dry_run_opens_a_file_to_tell_its_format_and_to_read_it_and_no_more(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(line(1))
    sys.addaudithook(_note_opening)
    _watched.add(str(path))
    try:
        inputs = inputs_of([str(path)])
        files = prepare_files(inputs, FormatOptions(), None, force=True).files
        survey_files(files, Times(), lambda: NOW)
    finally:
        _watched.clear()
    assert [str(path)] * 2 == OPENED


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(line(1))
    read: list[int] = []
    (file,) = hash_files(prepared(path).files, read.append)
    assert file.sha256 == hashlib.sha256(line(1)).hexdigest()
    assert sum(read) == len(line(1))
