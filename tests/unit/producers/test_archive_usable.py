"""What nothing can be used of is refused before the start, with what was found and what helps."""

import gzip
import io
import json
import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from producers.archives.inputs import Input
from producers.formats.archive_format import FormatOptions
from producers.replay.inspect_files import prepare_files
from schemas.failures import Failure
from tests.stack import MURMUR
from tests.unit.archive_replays import prepared, survey


def tar_of(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zip_of(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return packed.getvalue()


def lines(*documents: object) -> bytes:
    return "\n".join(map(json.dumps, documents)).encode()


GOOD = b'{"id":"1","text":"words"}\n'
WORKBOOK = zip_of("[Content_Types].xml", "xl/workbook.xml")
USELESS: dict[str, tuple[bytes, str]] = {
    "workbook": (WORKBOOK, "it is an Excel workbook: save it as CSV"),
    "workbook in a tar": (tar_of("a.xlsx", WORKBOOK), "an Excel workbook"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old Excel"),
    "tar in a tar": (
        tar_of("in.tar", tar_of("a", GOOD)),
        "in.tar: it is a tar within another file",
    ),
    "counts": (
        lines({"data": [{"start": "x", "end": "y", "tweet_count": 3}], "meta": {}}),
        "it has data.start, data.end, data.tweet_count",
    ),
    "users": (lines({"data": [{"id": "5", "name": "n", "username": "u"}]}), "data.username"),
    "includes": (lines({"users": [{"id": "5"}], "tweets": [{"id": "1", "text": "x"}]}), "includes"),
    "an error of X": (lines({"title": "Unauthorized", "status": 401}), "it has title, status"),
    "scrapers' records": (
        lines(*[{"url": "u", "rawContent": f"words {n}", "id": n} for n in range(300)]),
        r"first 100 records is a tweet \(100 times: .* url, rawContent, id: --columns text=rawC",
    ),
    "rows that are wider": (
        b"id,text,label\n" + b"1,a,b,c\n" * 200,
        r"100 times: 4 columns instead of 3\); it has id, text, label: R writes rows",
    ),
    "rows that are narrower": (b"id,text,label\n1,a\n", "2 columns instead of 3.*--quoting"),
    "a header alone": (b"id,text\n", "it has no rows; it has id, text"),
    "a header and blank lines": (b"id,text\n\n\n", "it has no tweets, but 2 blank-line"),
    "another encoding": ("id,text\n1,caf\xe9\n".encode("latin-1"), "iconv"),
    "a spreadsheet's ids": (b"id,text\n1.63E+18,words\n", "--columns id=-"),
    "ids alone": (b"1630900690744246273\n1630900690744246274\n", "a list of ids without texts"),
    "UTF-32": ("id,text\n1,x\n".encode("utf-32"), "it is UTF-32: convert it"),
    "UTF-16": ("id,text\n1,x\n".encode("utf-16"), "it is UTF-16: convert it"),
    "UTF-16 without a mark": ("id,text\n1,x\n".encode("utf-16-le"), "UTF-16 without a mark"),
    "a page of HTML": (b"<!DOCTYPE html><html>", "a page of HTML"),
    "Python's notation": (b"{'id': 1, 'text': 'x'}\n", "Python's own notation"),
    "bars": (b"id|text|label\n1|x|y\n", "separated by bars"),
    "bars without a header": (b"1|x|y\n", "its format is not recognised|bars"),
    "a line before the header": (b"sep=,\nid,text\n1,x\n", "its header is line 2"),
    "xz": (b"\xfd7zXZ\0" + bytes(20), "compressed with xz"),
    "a table of other names": (b"tweet_id,tweet\n1,x\n", "choose one with --columns text=tweet"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0), "compressed twice"),
    "blank lines": (b"\n\n \n", "nothing but blank lines"),
}


@pytest.mark.parametrize("name", USELESS)
def test_it_is_refused_before_the_start_with_its_reason(tmp_path: Path, name: str) -> None:
    content, said = USELESS[name]
    with pytest.raises(Failure, match=said):
        prepared(tmp_path / "a", content)


@pytest.mark.parametrize("name", ["workbook", "counts", "a header alone", "rows that are wider"])
@pytest.mark.parametrize("option", ["--dry-run", "--run=a"])
def test_it_is_no_success_and_needs_no_server_to_be_none(
    tmp_path: Path, name: str, option: str
) -> None:
    (tmp_path / "a").write_bytes(USELESS[name][0])
    nowhere = {"MURMUR_KAFKA": "127.0.0.1:1", "MURMUR_POSTGRES": "postgresql://127.0.0.1:1/x"}
    command = [str(MURMUR), "replay", option, str(tmp_path / "a")]
    done = subprocess.run(command, env=os.environ | nowhere, capture_output=True, check=False)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).decode()
    assert re.search(USELESS[name][1], said) or "nothing usable" in said


def test_in_a_folder_it_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_bytes(GOOD)
    (tmp_path / "bad.csv").write_bytes(b"id,text\n1,2,3,4\n")
    inputs = [Input(tmp_path / name, named=False) for name in ("bad.csv", "good.jsonl")]
    found = prepare_files(inputs, FormatOptions(), None)
    assert [each.name for each in found.files] == ["good.jsonl"]
    assert "4 columns instead of 2" in found.passed_over[0].why


def test_force_goes_on(tmp_path: Path) -> None:
    content = b"id,text\n" + b"1,2,3,4\n" * 3
    found = survey(tmp_path / "a.csv", content, force=True)
    assert found.refused == {"unreadable-line": 3}
    assert found.nothing_usable is not None


@pytest.mark.parametrize(
    "content",
    [
        b'{"broken\n' * 99 + GOOD,
        b'{"broken\n' * 30 + b'{"data":{"delete":{"tweet":{"id":"5"}}}}\n',
        b'{"limit":{"track":1}}\n' * 200,
        b'{"meta":{"result_count":0}}\n',
        tar_of("a.jsonl", b"broken\n" + GOOD),
        gzip.compress(GOOD * 20, mtime=0)[:-9],
    ],
)
def test_what_holds_something_or_is_damaged_is_replayed(tmp_path: Path, content: bytes) -> None:
    assert prepared(tmp_path / "a", content).name == "a"


def test_a_picture_before_the_tweets_of_a_zip_hides_nothing(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(150):
            archive.writestr(f"{number}.jpg", b"\xff\xd8\xff\xe0")
        archive.writestr("tweets.jsonl", GOOD)
    assert survey(tmp_path / "a.zip", packed.getvalue()).events.total() == 1
