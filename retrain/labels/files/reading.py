"""Which format does a file of labels have, and what is in it?"""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final

from retrain.labels.files.delimited import delimited_labels
from retrain.labels.files.doccano import doccano_labels
from retrain.labels.files.file_row import FileRow
from retrain.labels.files.label_studio import label_studio_labels
from schemas.failures import Failure

MOST_BYTES: Final = 256 * 1024 * 1024
"""Files are read as a whole: larger ones hold millions of labels, or are none."""


class FileFormat(StrEnum):
    """How a file holds labels; CSV stands for TSV too."""

    CSV = "csv"
    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"


def read_labels(file: Path, form: FileFormat | None = None) -> list[FileRow]:
    """Return a file's rows in order, the unusable ones with their fault.

    Without `form` the first character decides: `[` begins Label Studio's tasks, `{` doccano's
    lines, anything else a header. Raises `Failure` for a file that is none of them.
    """
    try:
        content = _content(file)
        form = form or _form_of(content)
        if form is FileFormat.LABEL_STUDIO:
            return list(label_studio_labels(content))
        lines = _lines(content)
        rows: Iterable[FileRow] = (
            doccano_labels(lines) if form is FileFormat.DOCCANO else delimited_labels(lines)
        )
        return list(rows)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is not UTF-8 from byte {error.start} on") from error
    except Failure as failure:
        raise Failure(f"{file}: {failure}") from failure


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Failure(f"has more than {MOST_BYTES // 1024 // 1024} MiB: divide it")
    return content.removeprefix(b"\xef\xbb\xbf")


def _form_of(content: bytes) -> FileFormat:
    start = content.lstrip()[:1]
    return {b"[": FileFormat.LABEL_STUDIO, b"{": FileFormat.DOCCANO}.get(start, FileFormat.CSV)


def _lines(content: bytes) -> list[str]:
    # At line feeds alone: tweets hold other separators.
    return [line.removesuffix("\r") for line in content.decode().split("\n")]
