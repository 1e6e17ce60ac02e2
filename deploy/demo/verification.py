"""What the manifest promises against what PostgreSQL and Redis hold."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from deploy.demo.manifest import Manifest
from schemas.transport.postgres import Connection

Count = int | dict[str, int]


class Check(Struct, frozen=True, kw_only=True):
    """One figure, as it should be and as it was counted."""

    what: str
    expected: Count
    found: Count
    ok: bool


def check(what: str, expected: Count, found: Count) -> Check:
    """Compare two figures."""
    return Check(what=what, expected=expected, found=found, ok=expected == found)


def verify(connection: Connection, run: str, manifest: Manifest) -> list[Check]:
    """Count what the database holds of a run, row by row, and compare it with the manifest."""
    with connection, connection.cursor() as cursor:

        def number(statement: str, granularity: str = "") -> int:
            cursor.execute(statement, {"run": run, "granularity": granularity})
            return int(cursor.fetchall()[0][0])

        def numbers(statement: str) -> dict[str, int]:
            cursor.execute(statement, {"run": run})
            return {str(name): int(count) for name, count in cursor}

        return [
            check(
                "lines accounted for",
                manifest.lines,
                number(
                    "SELECT coalesce(sum(events_published + dead_letters), 0) "
                    "FROM replay_files WHERE run = %(run)s"
                ),
            ),
            check(
                "rows = posts − deleted posts",
                manifest.posts - manifest.deleted_posts,
                number("SELECT count(*) FROM tweets WHERE run = %(run)s"),
            ),
            check(
                "scores, one for each row",
                manifest.rows,
                number("SELECT count(*) FROM scores WHERE run = %(run)s AND counts"),
            ),
            check(
                "versions after edits, summed",
                manifest.versions,
                number("SELECT coalesce(sum(version), 0) FROM tweets WHERE run = %(run)s"),
            ),
            check(
                "deletions, remembered as ids",
                manifest.deletions,
                number("SELECT count(*) FROM tombstones WHERE run = %(run)s AND kind = 'tweet'"),
            ),
            check(
                "dead letters, by reason",
                manifest.dead_letter_reasons,
                numbers(
                    "SELECT reason, count(*) FROM dead_letters WHERE run = %(run)s GROUP BY reason"
                ),
            ),
            check(
                "rows by day of posting",
                _by_name(manifest.rows_by_day),
                numbers("SELECT day, count(*) FROM tweets WHERE run = %(run)s GROUP BY day"),
            ),
            check(
                "rows by language",
                manifest.languages,
                numbers(
                    "SELECT language, count(*) FROM tweets WHERE run = %(run)s GROUP BY language"
                ),
            ),
            *(
                check(
                    f"totals by {granularity}",
                    manifest.rows,
                    number(
                        "SELECT coalesce(sum(tweets), 0) FROM rollups WHERE run = %(run)s "
                        "AND rule = '' AND granularity = %(granularity)s",
                        granularity,
                    ),
                )
                for granularity in ("minute", "hour", "day")
            ),
            check(
                "totals by rule",
                manifest.rows_by_rule,
                numbers(
                    "SELECT rule, sum(tweets) FROM rollups WHERE run = %(run)s AND rule <> '' "
                    "AND granularity = 'day' GROUP BY rule"
                ),
            ),
        ]


def _by_name(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(name): count for name, count in counts.items()}
