"""Audits of a run: what people and the model say of the same version of a tweet."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from schemas.events import LIVE

# People's answers first, which are few; then each tweet by its key. LIMIT keeps it so: without it
# PostgreSQL may join all tweets of the run. On which day a tweet of live is, live_roots knows.
_AUDITS: Final = """
WITH votes AS (
    SELECT root_id, version, count(*) AS votes FROM labels
    WHERE run = %(run)s AND origin = 'audit' AND repeat = 0 AND NOT answer_seen
        AND label IS NOT NULL
    GROUP BY root_id, version, label
), answers AS MATERIALIZED (
    SELECT root_id, version, label, 1 AS people, 0 AS agreeing FROM audits WHERE run = %(run)s
    UNION ALL
    SELECT root_id, version, NULL, sum(votes)::int, sum(votes * (votes - 1))::int
    FROM votes GROUP BY root_id, version HAVING sum(votes) > 1
)
SELECT a.label, found.label, found.posted_at, found.rules, found.language, a.people, a.agreeing
FROM answers AS a
CROSS JOIN LATERAL (
    SELECT s.label, t.posted_at, t.rules, t.language FROM {tweets}
    JOIN scores AS s ON s.run = t.run AND s.day = t.day AND s.root_id = t.root_id
        AND s.version = t.version AND s.counts
    WHERE t.run = %(run)s AND t.root_id = a.root_id AND t.version = a.version
    LIMIT 1
) AS found
ORDER BY a.root_id, a.version, a.people
"""

_ANY_RUN: Final = _AUDITS.format(tweets="tweets AS t")
_LIVE: Final = _AUDITS.format(
    tweets="live_roots AS r JOIN tweets AS t ON r.root_id = a.root_id AND t.day = r.day"
)


class AuditRow(NamedTuple):
    """A tweet that was labelled blind as an audit, by the score that counts.

    Either it has a `person`, the label of more than half of those who labelled it, and counts as
    an audit. Or it has none, and tells how `people`, two or more, agree: of their ordered pairs
    `agreeing` gave the same label. A tweet that several labelled may be there twice.
    """

    person: str | None
    model: str
    posted_at: datetime
    rules: tuple[str, ...]
    language: str | None
    people: int
    agreeing: int


def audits_of(cursor: Any, run: str) -> list[AuditRow]:
    """Return the audits of a run whose tweets are stored in the version that was labelled.

    Costs as many look-ups as there are audits, however many tweets the run has.
    """
    cursor.execute(_LIVE if run == LIVE else _ANY_RUN, {"run": run})
    return list(_rows(cursor))


def _rows(cursor: Any) -> Iterator[AuditRow]:
    for person, model, posted_at, rules, language, people, agreeing in cursor:
        yield AuditRow(person, model, posted_at, tuple(rules), language, people, agreeing)
