"""Archives as they are found, and exactly what they must become.

Beside each archive stands `NAME.expected.json`.
`python -m tests.unit.producers.test_archive_golden` writes them anew; after a change that is
meant, read the difference before committing it.
"""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from producers.archives.inputs import Input
from producers.formats.archive_format import FormatOptions, parse_record
from producers.replay.inspect_files import prepare_files
from producers.replay.positions import FilePosition
from producers.replay.record_reader import RecordReader
from schemas.codec import decode_raw, encode

FOLDER = Path(__file__).parents[2] / "golden" / "archives"
ARCHIVES = (
    "account_export.js",
    "columns.jsonl",
    "columns.parquet",
    "customer_support.csv",
    "headerless.tsv",
    "semeval.txt",
    "sentiment140.csv",
    "spritzer.tar",
    "spritzer_cut.tar",
    "tweeteval/test_text.txt",
    "twarc_flat.jsonl",
    "with_header.csv",
    "x_graphql.json",
    "x_v1_1_lines.jsonl",
    "x_v2_lines.jsonl",
    "x_v2_page.json",
    "x_v2_posts.jsonl",
    "x_v2_truncated.gz",
)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    return found


def outcome(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of an archive, as JSON."""
    columns = tuple(options["columns"]) if "columns" in options else None
    inputs = [Input(FOLDER / name, named=True)]
    ((prepared,), _) = prepare_files(inputs, FormatOptions(columns), None)
    # One hash for all: a made id shall depend on the line, not on each byte of the example.
    prepared = replace(prepared, sha256="0" * 64)
    events: list[object] = []
    dead_letters: list[object] = []
    skipped: Counter[str] = Counter()
    with prepared.path.open("rb") as file:
        reading = RecordReader(prepared, file, run="golden", run_started_at=NOW)
        for placed in reading.records(FilePosition()):
            assert placed is not None
            parsed = parse_record(placed.reader, placed.record, placed.origin, NOW)
            for event in parsed.events:
                assert decode_raw(encode(event)) == event
                events.append(json.loads(encode(event)))
            for refused in parsed.refused:
                raw = placed.record.raw if refused.raw is None else refused.raw
                dead_letters.append(
                    {
                        "file": placed.file_name,
                        "line": placed.record.line,
                        "place": placed.record.place + refused.place,
                        "reason": str(refused.reason),
                        "detail": refused.detail,
                        "raw_as_latin_1": raw.decode("latin-1"),
                    }
                )
            skipped.update(parsed.skipped)
    return {
        "options": options,
        "format": prepared.format_name,
        "formats": reading.formats,
        "lines": reading.lines,
        "damage": reading.damage,
        "events": events,
        "dead_letters": dead_letters,
        "skipped": dict(sorted(skipped.items())),
    }


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_becomes_exactly_the_events_beside_it(name: str) -> None:
    wanted = expected(name)
    assert outcome(name, wanted["options"]) == wanted


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".zst"])
def test_compression_changes_nothing(ending: str) -> None:
    packed = outcome(f"x_v2_lines.jsonl{ending}", {})
    for letter in packed["dead_letters"]:
        letter["file"] = letter["file"].removesuffix(ending)
    assert packed == expected("x_v2_lines.jsonl")


if __name__ == "__main__":
    for archive in ARCHIVES:
        known = FOLDER / f"{archive}.expected.json"
        anew = outcome(archive, expected(archive)["options"] if known.is_file() else {})
        text = json.dumps(anew, indent=2, ensure_ascii=False) + "\n"
        known.write_text(text, "utf-8")
