"""`murmur export --by-day`: a Parquet file for each day, and again only for days that changed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.failures import Failure
from schemas.known_runs import require_run
from schemas.output_file import opened_output
from schemas.transport.postgres import Connection
from stream_processors.queries.export_parquet import write_parquet
from stream_processors.queries.export_rows import Choice, labels_of, rows_of
from stream_processors.retention.prune_limit import kept_from

STATE_FILE: Final = "_murmur.json"
"""Readers of a folder of Parquet pass over names that begin with an underscore."""

DAY_FILE: Final = "tweets.parquet"

# What an export shows of a tweet, by day: another text of the same version is not possible.
_FINGERPRINTS: Final = """
SELECT t.day, count(*) || ' ' || coalesce(bit_xor(hashtextextended(
    concat_ws(' ', t.root_id, t.version, t.human_label, s.model_id, s.label, s.decision_id,
              s.scored_at, s.override_name, s.label_without), 0)), 0)
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
WHERE t.run = %(run)s AND s.run = %(run)s AND t.day >= %(since)s
GROUP BY t.day ORDER BY t.day
"""


class DaysState(Struct, frozen=True, kw_only=True):
    """What a folder holds: of which run and release, and each day's fingerprint."""

    run: str
    labels: list[str]
    days: dict[date, str]


class Exported(Struct, frozen=True, kw_only=True):
    """What an export did: days that were written, and removed since nothing is left of them."""

    written: list[date]
    removed: list[date]
    unchanged: int
    tweets: int


def export_days(
    connection: Connection, run: str, folder: Path, *, since: date = date.min
) -> Exported:
    """Bring a folder up to date: `day=YYYY-MM-DD/tweets.parquet` for each day of a run.

    A day is its tweets' `posted_at` in UTC. A day is written anew, whole, where any of its tweets
    came, changed, was scored by another model or was deleted since the last export; earlier days
    than `since` are neither looked at nor touched. What `murmur prune` dropped stays in the folder
    as it is. All that is written is of one moment of the database; each file appears whole, and
    whoever is killed between two goes on with the next export. Raises `Failure` where the folder
    holds another run.
    """
    require_run(connection, run)
    before = _read_state(folder, run)
    with connection:
        with connection.cursor() as cur:
            cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = _fingerprints(cur, run, since)
            kept = kept_from(cur) if run == LIVE else date.min
        labels = sorted({*labels_of(connection, run), *before.labels})
        # Another label is another column: days without it would not be read together with it.
        known: Mapping[date, str] = before.days if labels == before.labels else {}
        changed = [day for day, fingerprint in found.items() if known.get(day) != fingerprint]
        gone = [day for day in before.days if day >= max(since, kept) and day not in found]
        tweets = 0
        for day in changed:
            tweets += _write_day(connection, run, folder, day, labels)
    for day in gone:
        _file_of(folder, day).unlink(missing_ok=True)
    # With other columns, the days that were not looked at are due the next time.
    earlier = before.days if labels == before.labels else dict.fromkeys(before.days, "")
    days = {day: mark for day, mark in {**earlier, **found}.items() if day not in gone}
    _write_state(folder, DaysState(run=run, labels=labels, days=dict(sorted(days.items()))))
    return Exported(
        written=changed, removed=gone, unchanged=len(found) - len(changed), tweets=tweets
    )


def _fingerprints(cur: cursor, run: str, since: date) -> dict[date, str]:
    cur.execute(_FINGERPRINTS, {"run": run, "since": since})
    return dict(cur.fetchall())


def _write_day(connection: Connection, run: str, folder: Path, day: date, labels: list[str]) -> int:
    start = datetime.combine(day, time.min, UTC)
    file = _file_of(folder, day)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    choice = Choice(start=start, end=start + timedelta(days=1))
    with opened_output(file) as output:
        return write_parquet(rows_of(connection, run, choice), labels, output)


def _file_of(folder: Path, day: date) -> Path:
    return folder / f"day={day.isoformat()}" / DAY_FILE


def _read_state(folder: Path, run: str) -> DaysState:
    file = folder / STATE_FILE
    try:
        state = msgspec.json.decode(file.read_bytes(), type=DaysState)
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            raise Failure(f"{folder} holds other files: name an empty folder") from None
        return DaysState(run=run, labels=[], days={})
    except (OSError, msgspec.MsgspecError) as error:
        raise Failure(f"{file} cannot be read: {error}") from error
    if state.run != run:
        raise Failure(f"{folder} holds run {state.run!r}: name another folder")
    return state


def _write_state(folder: Path, state: DaysState) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with opened_output(folder / STATE_FILE) as output:
        output.write(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
