"""What a demo found, as `murmur demo --json` prints it."""

from pathlib import Path

from msgspec import Struct

from deploy.demo.manifest import Manifest
from deploy.demo.verification import Check
from deploy.demo.watch_demo import DemoAlarm
from stream_processors.queries.totals import Totals


class DemoResult(Struct, frozen=True, kw_only=True):
    """The archive, what became of it, and how long that took.

    `ok` says that every check holds. `processing_s` is from the first line read until the last
    tweet was stored; `lines_per_s` follows from it. `total_s` has starting the stack in it. `alarm`
    is what the watch found on the last day; a small archive has too few tweets for it.
    `page` is its address, where the stack is still up and serves it.
    """

    ok: bool
    run: str
    archive: str
    manifest: Manifest
    checks: list[Check]
    totals: Totals
    alarm: DemoAlarm | None
    replay_s: float
    processing_s: float
    total_s: float
    lines_per_s: float
    still_up: bool
    page: str | None = None

    @property
    def archive_path(self) -> Path:
        """The file that was replayed."""
        return Path(self.archive)
