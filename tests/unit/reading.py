"""Reading a file as a replay does."""

from pathlib import Path

from producers.archives.compression import decompressed
from producers.archives.lines import LineReader


def replayed_lines(path: Path) -> list[bytes]:
    """Return the lines of a file, decompressed; `AssertionError` where it is damaged."""
    with path.open("rb") as file:
        reader = LineReader(decompressed(file))
        lines = [record.raw for record in reader]
    assert reader.damage is None
    return lines
