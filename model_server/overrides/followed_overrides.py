"""The overrides of a file, read anew when it changes, by a process that runs."""

import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, NamedTuple

from model_server.overrides.override import Overrides
from model_server.overrides.override_file import usable_overrides
from schemas.failures import Failure

logger = logging.getLogger(__name__)

_EVERY_S: Final = 2.0


class _Stamp(NamedTuple):
    inode: int
    size_bytes: int
    changed_ns: int


def no_overrides() -> Overrides | None:
    """Return none, for a process without a file."""
    return None


class FollowedOverrides:
    """Reads the file at once, raising `Failure` where it is not usable; any thread may ask.

    A later file that is not usable, or is gone, is logged once, and those in use stay. `labels`
    are those of the model that serves now.
    """

    def __init__(self, path: Path | None, labels: Callable[[], Collection[str]]) -> None:
        self._path = path
        self._labels = labels
        self._seen = self._judged = self._stamp()
        self._used = usable_overrides(path, labels())

    def current(self) -> Overrides | None:
        """Return the overrides in use, None where there is no file."""
        return self._used

    def follow(self, finished: threading.Event) -> None:
        """Look at the file every 2 s until `finished` is set."""
        while self._path is not None and not finished.wait(_EVERY_S):
            self.look()

    def looked_at_by(self, clock_s: Callable[[], float]) -> Callable[[], Overrides | None]:
        """Return a function that returns those in use, and looks at the file before every 2 s.

        For a loop that ends by itself and has no thread beside it.
        """
        due_s = clock_s() + _EVERY_S

        def current() -> Overrides | None:
            nonlocal due_s
            if self._path is not None and clock_s() >= due_s:
                self.look()
                due_s = clock_s() + _EVERY_S
            return self._used

        return current

    def look(self) -> None:
        """Take in the file if it has changed, and has not changed again since the last look.

        Half a file may be a whole list of overrides: whoever writes it gets the time.
        """
        stamp = self._stamp()
        is_settled, self._seen = stamp == self._seen, stamp
        if not is_settled or stamp == self._judged:
            return
        self._judged = stamp
        try:
            found = usable_overrides(self._path, self._labels())
        except Failure as failure:
            logger.warning("the overrides in use stay: %s", failure)
            return
        self._used = found
        if found is not None:
            logger.info("other overrides are in use", extra={"version": found.short_version})

    def _stamp(self) -> _Stamp | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
