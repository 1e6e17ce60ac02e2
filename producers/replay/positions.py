"""How far each file of a run has been published: the only checkpoint of a replay."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from psycopg2.extensions import cursor

from producers.replay.log_ends import LogEnd, LogEnds
from schemas.events import LIVE
from schemas.transport.postgres import Connection
from schemas.transport.transactions import Transactions

logger = logging.getLogger(__name__)

_MAX_SOURCE_CHARS = 1_000
_LARGEST_QUIET_ERROR = timedelta(seconds=5)


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


class StoredFilePosition(NamedTuple):
    """A position, and where Kafka's logs ended when it was taken; older releases kept no ends."""

    file_name: str
    position: FilePosition
    log_ends: LogEnds


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

    def database_is_ahead(self, now: Callable[[], datetime]) -> timedelta:
        """Return by how much the database's clock is ahead of this one, to some milliseconds.

        A run's deletion holds for what came in before it by the database's clock.
        """

        def ask(cur: cursor) -> timedelta:
            before = now()
            cur.execute("SELECT clock_timestamp()")
            ((database_now,),) = cur.fetchall()
            ahead: timedelta = database_now - (before + (now() - before) / 2)
            return ahead

        ahead = self._transactions.run(ask)
        if abs(ahead) > _LARGEST_QUIET_ERROR:
            logger.warning(
                "this machine's clock differs from PostgreSQL's by %.0f s: PostgreSQL's is used",
                ahead.total_seconds(),
            )
        return ahead

    def store_shift(self, time_shift: timedelta) -> None:
        """Store by how much the run's times are moved, for every later replay of it."""

        def write(cur: cursor) -> None:
            cur.execute("UPDATE runs SET time_shift = %s WHERE run = %s", (time_shift, self._run))

        self._transactions.run(write)

    def read(self) -> dict[FileKey, StoredFilePosition]:
        """Return the positions of the run's files."""

        def read(cur: cursor) -> dict[FileKey, StoredFilePosition]:
            cur.execute(
                "SELECT file_sha256, read_as, file_name, coalesce(log_ends, '[]'), records_done,"
                " events_published, dead_letters, finished, members_done, records_before_member"
                " FROM replay_files WHERE run = %s ORDER BY file_sha256",
                (self._run,),
            )
            return {
                FileKey(sha256, read_as): StoredFilePosition(
                    file_name, FilePosition(*position), msgspec.convert(log_ends, list[LogEnd])
                )
                for sha256, read_as, file_name, log_ends, *position in cur.fetchall()
            }

        return self._transactions.run(read)

    def write(
        self, positions: Mapping[tuple[FileKey, str], FilePosition], log_ends: LogEnds
    ) -> None:
        """Store the positions of files, each with its name.

        `log_ends` are read after Kafka has confirmed what the positions say; without any the ones
        that are stored stay.
        """
        ends = msgspec.json.encode(log_ends).decode() if log_ends else None

        def write(cur: cursor) -> None:
            for (key, name), position in sorted(positions.items(), key=lambda item: item[0]):
                cur.execute(
                    "INSERT INTO replay_files (run, file_sha256, file_name, records_done,"
                    " events_published, dead_letters, finished, members_done,"
                    " records_before_member, read_as, log_ends)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (run, file_sha256) DO UPDATE SET"
                    " file_name = excluded.file_name, records_done = excluded.records_done,"
                    " events_published = excluded.events_published,"
                    " dead_letters = excluded.dead_letters, finished = excluded.finished,"
                    " members_done = excluded.members_done,"
                    " records_before_member = excluded.records_before_member,"
                    " read_as = excluded.read_as,"
                    " log_ends = coalesce(excluded.log_ends, replay_files.log_ends),"
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
                        ends,
                    ),
                )

        self._transactions.run(write)

    def close(self) -> None:
        """Close the connection."""
        self._transactions.close()


def borne_out(
    known: Mapping[FileKey, StoredFilePosition], kafka_has: Callable[[LogEnds], bool]
) -> dict[FileKey, FilePosition]:
    """Return the positions whose events Kafka still has, or had until they expired.

    A file whose position is left out is published anew.
    """
    kept = {}
    proved: dict[tuple[str, int], int] = {}
    # The newest first: a log that has a message has what was before it, and is not asked again.
    for key, stored in sorted(known.items(), key=lambda item: _newest_end(item[1]), reverse=True):
        ends = {(end.topic_id, end.partition): end.last.offset for end in stored.log_ends}
        if all(offset <= proved.get(name, -1) for name, offset in ends.items()):
            kept[key] = stored.position
        elif kafka_has(stored.log_ends):
            kept[key] = stored.position
            proved |= {name: max(at, proved.get(name, -1)) for name, at in ends.items()}
        else:
            logger.error(
                "Kafka no longer has what was published of %s (%d records): publishing it anew",
                stored.file_name,
                stored.position.records_done,
            )
    return kept


def _newest_end(stored: StoredFilePosition) -> int:
    return sum(end.last.offset for end in stored.log_ends)


def joined_source(source: str, file_names: Sequence[str]) -> str:
    """Return the names of a run's files, each once, at most some 1,000 characters of them."""
    names = dict.fromkeys([*(name for name in source.split(", ") if name), *file_names])
    joined = ", ".join(names)
    return joined if len(joined) <= _MAX_SOURCE_CHARS else source or joined[:_MAX_SOURCE_CHARS]
