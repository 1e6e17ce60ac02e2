"""What a dry run tells people: sums that add up, and each thing once."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

from producers.archives.inputs import inputs_of
from producers.formats.archive_format import FormatOptions
from producers.replay.dry_run import DryRun, survey_files
from producers.replay.dry_run_display import dry_run_lines
from producers.replay.inspect_files import prepare_files
from producers.replay.time_range import Times

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def line(number: int) -> bytes:
    return b'{"data":{"id":"%d","text":"words"}}\n' % (1_590_000_000_000_000_000 + number)


def looked_at(*arguments: Path, times: Times | None = None) -> DryRun:
    files, passed_over = prepare_files(inputs_of(list(map(str, arguments))), FormatOptions(), None)
    return DryRun(survey_files(files, times or Times(), lambda: NOW), passed_over)


def shown(*arguments: Path) -> list[str]:
    return list(dry_run_lines(looked_at(*arguments)))


def test_what_is_passed_over_is_said_once_for_each_kind(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}.csv").write_bytes(b"id,txt\n%d,hi\n" % number)
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "lines.jsonl").write_bytes(line(0))
    said = [each for each in shown(tmp_path) if each.startswith("passed over")]
    assert len(said) == 2
    assert said[0].startswith(f"passed over: {tmp_path / '0.csv'} and 11 more: the header has")
    assert said[1] == f"passed over: {tmp_path / 'empty.csv'}: it is empty"


def test_times_that_the_id_overrules_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        (1_590_000_000_000_000_000, "2022-11-08T15:15:00Z"),
        (1_590_000_000_000_000_001, "2019-01-01"),
        (5, "2019-01-01"),
        (1_590_000_000_000_000_002, ""),
    ]
    path.write_text("id,created_at,text\n" + "".join(f"{n},{at},words\n" for n, at in rows))
    for times in (Times(), Times(start=datetime(2018, 1, 1, tzinfo=UTC))):
        (found,) = looked_at(path, times=times).surveys
        assert (found.events.total(), found.overruled_times) == (4, 1)
    assert any("differs from the time in the id: 1 " in each for each in shown(path))


def test_files_and_the_files_within_them_are_counted_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for name, content in (("1.jsonl", line(1)), ("2.jsonl", line(2)), ("3.jsonl", b"")):
            packed.writestr(name, content)
    (tmp_path / "b.jsonl").write_bytes(line(3))
    said = [each for each in shown(tmp_path) if not each.startswith("  ")]
    assert said == [
        f"{tmp_path / 'a.zip'}: zip of 3 files: 2 x-v2, 1 empty",
        f"{tmp_path / 'b.jsonl'}: x-v2",
        "all 2 files: 1 zip, 1 x-v2; 3 files in tars and zips: 2 x-v2, 1 empty",
    ]
