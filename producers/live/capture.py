"""What was received, as it was received, in files that `murmur replay` reads."""

import logging
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from producers.x_connection.received_line import ReceivedLine
from schemas.failures import Failure
from schemas.private_files import create_private

logger = logging.getLogger(__name__)

FILE_LIFE: Final = timedelta(hours=1)
FRAME_BYTES: Final = 1024 * 1024
FRAME_LIFE: Final = timedelta(seconds=10)
"""A frame is readable by itself: a kill costs a capture so much at most."""

_RETRY_AFTER: Final = timedelta(minutes=1)
_UNFINISHED: Final = ".part"


class Capture:
    """Appends lines to `live-<UTC time>.jsonl.zst`, a new file each hour.

    The file that is being written ends in `.part`; one that a kill left so is taken over as it is
    at the next start. A disk that fails is logged and counted in `failures`, and tried again
    after a minute: the stream goes on. Raises `Failure` for a folder that cannot be made or read.
    Made for one thread.
    """

    def __init__(self, folder: Path, file_life: timedelta = FILE_LIFE) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(f"live-*{_UNFINISHED}"):
                left.rename(left.with_suffix(""))
        except OSError as error:
            raise Failure(f"--capture {folder}: {error.strerror}") from error
        logger.info("capturing to %s: a later deletion does not reach these files", folder)
        self._folder = folder
        self._file_life = file_life
        self._file: BinaryIO | None = None
        self._path = folder
        self._opened_at: datetime | None = None
        self._framed_at: datetime | None = None
        self._frame = bytearray()
        self._not_before: datetime | None = None
        self.failures = 0

    def write(self, lines: Iterable[ReceivedLine]) -> None:
        """Add lines; what stays in memory is written within `FRAME_LIFE` of further lines."""
        for line in lines:
            self._frame += line.raw + b"\r\n"
            self._framed_at = self._framed_at or line.received_at
            if len(self._frame) >= FRAME_BYTES or line.received_at - self._framed_at >= FRAME_LIFE:
                self._flush(line.received_at)

    def close(self, now: datetime) -> None:
        """Write what is left and finish the file."""
        self._flush(now)
        self._finish()

    def _flush(self, now: datetime) -> None:
        if not self._frame:
            return
        frame, self._frame, self._framed_at = bytes(self._frame), bytearray(), None
        if self._not_before is not None and now < self._not_before:
            self.failures += 1
            return
        try:
            file = self._current(now)
            file.write(zstandard.ZstdCompressor().compress(frame))
            file.flush()
        except OSError as error:
            self.failures += 1
            self._not_before = now + _RETRY_AFTER
            logger.error("the capture cannot be written: %s", error.strerror)  # noqa: TRY400
            self._finish()

    def _current(self, now: datetime) -> BinaryIO:
        if self._opened_at is not None and now - self._opened_at >= self._file_life:
            self._finish()
        if self._file is None:
            self._path = self._folder / f"live-{now:%Y%m%dT%H%M%S.%fZ}.jsonl.zst{_UNFINISHED}"
            self._file = create_private(self._path)
            self._opened_at = now
        return self._file

    def _finish(self) -> None:
        if self._file is None:
            return
        file, self._file, self._opened_at = self._file, None, None
        try:
            os.fsync(file.fileno())
            file.close()
            self._path.rename(self._path.with_suffix(""))
        except OSError as error:
            self.failures += 1
            logger.error("the capture cannot be finished: %s", error.strerror)  # noqa: TRY400
