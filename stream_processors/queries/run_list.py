"""What `murmur runs list` tells of each run."""

from datetime import date, datetime

from msgspec import Struct

from schemas.transport.postgres import Connection


class RunSummary(Struct, frozen=True, kw_only=True):
    """A run with its figures, counted by PostgreSQL.

    `deletions` counts the ids that may not come back, whether or not they ever arrived;
    `changed_at` is None where no figure has moved yet. `tweets` counts those of pruned days too;
    rows are there from `kept_from` on, or all where it is None.
    """

    run: str
    kind: str
    started_at: datetime
    changed_at: datetime | None
    tweets: int
    labels: dict[str, int]
    dead_letters: int
    deletions: int
    kept_from: date | None


_SUMMARIES = """
WITH labelled AS (
    SELECT run, label, sum(tweets)::bigint AS tweets FROM rollups
    WHERE granularity = 'day' AND rule = '' GROUP BY run, label HAVING sum(tweets) > 0
), counted AS (
    SELECT run, sum(tweets)::bigint AS tweets,
           jsonb_object_agg(label, tweets ORDER BY label) AS labels
    FROM labelled GROUP BY run
)
SELECT r.run, r.kind, r.started_at, nullif(r.changed_at, '-infinity'),
       coalesce(c.tweets, 0)::bigint, coalesce(c.labels, '{}'),
       (SELECT count(*) FROM dead_letters AS d WHERE d.run = r.run),
       (SELECT count(*) FROM tombstones AS t WHERE t.run = r.run),
       k.kept_from
FROM runs AS r LEFT JOIN counted AS c USING (run) LEFT JOIN kept_days AS k USING (run)
ORDER BY r.changed_at DESC, r.run
"""


def summaries(connection: Connection) -> list[RunSummary]:
    """Return every run, the one that changed last first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_SUMMARIES)
        return [
            RunSummary(
                run=run,
                kind=kind,
                started_at=started_at,
                changed_at=changed_at,
                tweets=tweets,
                labels=dict(sorted(labels.items())),
                dead_letters=dead_letters,
                deletions=deletions,
                kept_from=kept_from,
            )
            for (
                run,
                kind,
                started_at,
                changed_at,
                tweets,
                labels,
                dead_letters,
                deletions,
                kept_from,
            ) in cursor
        ]
