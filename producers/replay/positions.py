"""How far each file of a run has been published: the only checkpoint of a replay."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.transport.postgres import Connection
from schemas.transport.transactions import Transactions

_MAX_SOURCE_CHARS = 1_000


@dataclass(frozen=True)
class FilePosition:
    """All events and dead letters of the first `records_done` records are confirmed by Kafka.

    In a tar those are all records of its first `members_done` files, which are
    `records_before_member`, and the rest of the next one's.
    """

    records_done: int = 0
    events_published: int = 0
    dead_letters: int = 0
    finished: bool = False
    members_done: int = 0
    records_before_member: int = 0


class FileKey(NamedTuple):
    """A file's content, and how it is read: read otherwise, its records are others."""

    sha256: str
    read_as: str


class RunBeginning(NamedTuple):
    """When a run first began, and by how much its times are moved."""

    started_at: datetime
    time_shift: timedelta


class ReplayPositions:
    """The rows of one run in `runs` and `replay_files`.

    Every method is a transaction of its own. A connection that was lost is opened anew at the
    next call; each call raises `Failure` where PostgreSQL does not answer.
    """

    def __init__(self, connect: Callable[[], Connection], run: str) -> None:
        self._transactions = Transactions(connect)
        self._run = run

    def begin_run(self, file_names: Sequence[str], now: datetime) -> RunBeginning:
        """Make the run's row, or add the files to its source; return how the run began."""

        def begin(cur: cursor) -> RunBeginning:
            cur.execute(
                "INSERT INTO runs (run, kind, started_at) VALUES (%s, %s, %s)"
                " ON CONFLICT (run) DO NOTHING",
                (self._run, "live" if self._run == LIVE else "replay", now),
            )
            cur.execute(
                "SELECT started_at, time_shift, source FROM runs WHERE run = %s FOR UPDATE",
                (self._run,),
            )
            ((started_at, time_shift, source),) = cur.fetchall()
            source = joined_source(source, file_names)
            cur.execute("UPDATE runs SET source = %s WHERE run = %s", (source, self._run))
            return RunBeginning(started_at, time_shift)

        return self._transactions.run(begin)

    def store_shift(self, time_shift: timedelta) -> None:
        """Store by how much the run's times are moved, for every later replay of it."""

        def write(cur: cursor) -> None:
            cur.execute("UPDATE runs SET time_shift = %s WHERE run = %s", (time_shift, self._run))

        self._transactions.run(write)

    def read(self) -> dict[FileKey, FilePosition]:
        """Return the positions of the run's files."""

        def read(cur: cursor) -> dict[FileKey, FilePosition]:
            cur.execute(
                "SELECT file_sha256, read_as, records_done, events_published, dead_letters,"
                " finished, members_done, records_before_member FROM replay_files WHERE run = %s",
                (self._run,),
            )
            return {
                FileKey(sha256, read_as): FilePosition(*position)
                for sha256, read_as, *position in cur.fetchall()
            }

        return self._transactions.run(read)

    def write(self, positions: Mapping[tuple[FileKey, str], FilePosition]) -> None:
        """Store the positions of files, each with its name."""

        def write(cur: cursor) -> None:
            for (key, name), position in sorted(positions.items(), key=lambda item: item[0]):
                cur.execute(
                    "INSERT INTO replay_files (run, file_sha256, file_name, records_done,"
                    " events_published, dead_letters, finished, members_done,"
                    " records_before_member, read_as)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (run, file_sha256) DO UPDATE SET"
                    " file_name = excluded.file_name, records_done = excluded.records_done,"
                    " events_published = excluded.events_published,"
                    " dead_letters = excluded.dead_letters, finished = excluded.finished,"
                    " members_done = excluded.members_done,"
                    " records_before_member = excluded.records_before_member,"
                    " read_as = excluded.read_as,"
                    " updated_at = now()",
                    (
                        self._run,
                        key.sha256,
                        name,
                        position.records_done,
                        position.events_published,
                        position.dead_letters,
                        position.finished,
                        position.members_done,
                        position.records_before_member,
                        key.read_as,
                    ),
                )

        self._transactions.run(write)

    def close(self) -> None:
        """Close the connection."""
        self._transactions.close()


def joined_source(source: str, file_names: Sequence[str]) -> str:
    """Return the names of a run's files, each once, at most some 1,000 characters of them."""
    names = dict.fromkeys([*(name for name in source.split(", ") if name), *file_names])
    joined = ", ".join(names)
    return joined if len(joined) <= _MAX_SOURCE_CHARS else source or joined[:_MAX_SOURCE_CHARS]
