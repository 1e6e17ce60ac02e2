"""Files in tars and zips have formats of their own, and those that belong together are found."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.inputs import Input
from producers.formats.archive_format import FormatOptions, parse_record
from producers.replay.dry_run import Survey, survey_files
from producers.replay.inspect_files import prepare_files
from producers.replay.plan import ArchiveFile
from producers.replay.positions import FilePosition
from producers.replay.record_reader import RecordReader
from producers.replay.time_range import Times

GOLDEN = Path(__file__).parents[2] / "golden" / "archives"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
Files = dict[str, bytes]


def tar_of(files: Files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zip_of(files: Files) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


PACKING: dict[str, Callable[[Files], bytes]] = {"tar": tar_of, "zip": zip_of}
packings = pytest.mark.parametrize("pack", PACKING.values(), ids=PACKING)


def prepared(path: Path) -> ArchiveFile:
    (file,) = prepare_files([Input(path, named=True)], FormatOptions(), None).files
    return file


def survey(path: Path, content: bytes) -> Survey:
    path.write_bytes(content)
    (found,) = survey_files([prepared(path)], Times(), lambda: NOW)
    return found


def line(number: int) -> bytes:
    return b'{"data":{"id":"%d","text":"words"}}\n' % (1_590_000_000_000_000_000 + number)


def ids(path: Path, start: FilePosition) -> list[tuple[int, str]]:
    """The ids of the tweets from a position on, each with the number of its file."""
    with path.open("rb") as opened:
        reading = RecordReader(prepared(path), opened, run="r", run_started_at=NOW)
        return [
            (placed.member, getattr(event, "tweet_id", ""))
            for placed in reading.records(start)
            if placed is not None
            for event in parse_record(placed.reader, placed.record, placed.origin, NOW).events
        ]


@packings
@pytest.mark.parametrize(
    "order", list(permutations(["test_text.txt", "test_labels.txt", "mapping.txt"]))
)
def test_texts_find_their_labels_whatever_their_order(
    tmp_path: Path, pack: Callable[[Files], bytes], order: tuple[str, ...]
) -> None:
    files = {f"set/{name}": (GOLDEN / "tweeteval" / name).read_bytes() for name in order}
    unpacked = survey_files(
        [prepared(GOLDEN / "tweeteval" / "test_text.txt")], Times(), lambda: NOW
    )
    found = survey(tmp_path / "packed", pack({"other/test_labels.txt": b"9\n", **files}))
    assert found.formats == {"tweeteval": 1}
    assert found.labels == unpacked[0].labels
    assert found.labels
    assert (found.lines, found.refused) == (unpacked[0].lines, unpacked[0].refused)


@packings
def test_parquet_is_read_within_another_file(
    tmp_path: Path, pack: Callable[[Files], bytes]
) -> None:
    content = (GOLDEN / "columns.parquet").read_bytes()
    found = survey(tmp_path / "packed", pack({"a.parquet": content, "cut.parquet": content[:-9]}))
    (alone,) = survey_files([prepared(GOLDEN / "columns.parquet")], Times(), lambda: NOW)
    assert found.events == alone.events
    assert found.damage is not None
    assert found.damage.startswith("cut.parquet: damaged Parquet file")


@packings
def test_what_has_no_known_format_is_named(tmp_path: Path, pack: Callable[[Files], bytes]) -> None:
    files = {
        "notes.md": b"# words\n",
        "a.jsonl": line(1),
        "in.zip": zip_of({"x": b"x"}),
        "in.tar": tar_of({"x": line(2) + line(3)}),
        "__MACOSX/._a.jsonl": line(4),
        "./.hidden/b.jsonl": line(5),
    }
    found = survey(tmp_path / "packed", pack(files))
    assert found.events.total() == 1
    assert found.skipped == {"file-of-no-known-format": 3}
    names = [each.split(":")[0] for each in found.unknown]
    assert names == ["packed/notes.md", "packed/in.zip", "packed/in.tar"]


@packings
@given(
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    texts=st.booleans(),
    data=st.data(),
)
def test_reading_goes_on_within_any_file(
    tmp_path_factory: pytest.TempPathFactory,
    pack: Callable[[Files], bytes],
    counts: list[int],
    texts: bool,
    data: st.DataObject,
) -> None:
    files = {
        f"{number}.jsonl": b"".join(line(number * 10 + n) for n in range(count))
        for number, count in enumerate(counts)
    }
    if texts:
        files = {"a_text.txt": b"one\ntwo\n", **files, "a_labels.txt": b"0\n1\n"}
    path = tmp_path_factory.getbasetemp() / "resumed"
    path.write_bytes(pack(files))
    everything = ids(path, FilePosition())
    assert len(everything) == sum(counts) + 2 * texts
    done = data.draw(st.integers(0, len(everything)))
    # Every record is a tweet here, so that places among the tweets are places among the records.
    member = everything[done - 1][0] if done else 0
    before = sum(1 for number, _ in everything if number < member)
    start = FilePosition(done, members_done=member, records_before_member=before)
    assert ids(path, start) == everything[done:]
