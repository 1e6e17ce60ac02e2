"""Archives as they are found, and exactly what they must become.

Beside each archive stands `NAME.expected.json`. `python -m tests.unit.test_archive_golden` writes
them anew; after a change that is meant, read the difference before committing it.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from producers.archives.compression import decompressed
from producers.archives.lines import LineReader
from producers.border.origin import Origin
from producers.formats.archive_format import FormatOptions, parse_record
from producers.replaying.preparing import prepare_files
from schemas.codec import decode_raw, encode

FOLDER = Path(__file__).parents[1] / "golden" / "archives"
ARCHIVES = (
    "headerless.tsv",
    "with_header.csv",
    "x_v2_lines.jsonl",
    "x_v2_page.json",
    "x_v2_truncated.gz",
)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ORIGIN = Origin("golden", NOW, "archive:golden", "0" * 64)


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    return found


def outcome(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of an archive, as JSON."""
    columns = tuple(options["columns"]) if "columns" in options else None
    (prepared,) = prepare_files([FOLDER / name], FormatOptions(columns), None)
    events: list[object] = []
    dead_letters: list[object] = []
    skipped: Counter[str] = Counter()
    with prepared.path.open("rb") as file:
        lines = LineReader(decompressed(file))
        for record in prepared.reader.records(iter(lines)):
            parsed = parse_record(prepared.reader, record, ORIGIN, NOW)
            for event in parsed.events:
                assert decode_raw(encode(event)) == event
                events.append(json.loads(encode(event)))
            for refused in parsed.refused:
                raw = record.raw if refused.raw is None else refused.raw
                dead_letters.append(
                    {
                        "line": record.line,
                        "place": refused.place,
                        "reason": str(refused.reason),
                        "detail": refused.detail,
                        "raw_as_latin_1": raw.decode("latin-1"),
                    }
                )
            skipped.update(parsed.skipped)
    return {
        "options": options,
        "format": prepared.format.name,
        "lines": lines.lines,
        "damage": lines.damage,
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
    assert outcome(f"x_v2_lines.jsonl{ending}", {}) == expected("x_v2_lines.jsonl")


if __name__ == "__main__":
    for archive in ARCHIVES:
        anew = outcome(archive, expected(archive)["options"])
        text = json.dumps(anew, indent=2, ensure_ascii=False) + "\n"
        (FOLDER / f"{archive}.expected.json").write_text(text, "utf-8")
