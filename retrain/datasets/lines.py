"""The lines of a text file, parted at line feeds alone: tweets hold other separators."""

from pathlib import Path

from retrain.datasets.rows import UnusableLabels


def read_lines(file: Path) -> list[str]:
    """Return a UTF-8 file's lines without their ends; raise `UnusableLabels` otherwise."""
    try:
        content = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnusableLabels(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnusableLabels(f"{file} is not UTF-8 from byte {error.start} on") from error
    lines = [line.removesuffix("\r") for line in content.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines
