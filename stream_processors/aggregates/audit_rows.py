"""Audits of a run: what people and the model say of the same version of a tweet."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from schemas.events import LIVE

# People's answers first, which are few; then each tweet by its key. LIMIT keeps it so: without it
# PostgreSQL may join all tweets of the run. On which day a tweet of live is, live_roots knows.
_AUDITS: Final = """
WITH votes AS (
    SELECT root_id, version, label, count(*) AS votes FROM labels
    WHERE run = %(run)s AND origin = 'audit' AND repeat = 0 AND NOT answer_seen
        AND label IS NOT NULL
    GROUP BY root_id, version, label
), voted AS (
    SELECT root_id, version, sum(votes)::int AS people,
           sum(votes * (votes - 1))::int AS agreeing
    FROM votes GROUP BY root_id, version
)
SELECT a.label, found.label, found.posted_at, found.rules, found.language,
       v.people, v.agreeing
FROM voted AS v
LEFT JOIN audits AS a
    ON a.run = %(run)s AND a.root_id = v.root_id AND a.version = v.version
{day_of_root}
CROSS JOIN LATERAL (
    SELECT s.label, t.posted_at, t.rules, t.language FROM tweets AS t
    JOIN scores AS s ON s.run = t.run AND s.day = t.day AND s.root_id = t.root_id
        AND s.version = t.version AND s.counts
    WHERE t.run = %(run)s AND t.root_id = v.root_id AND t.version = v.version {same_day}
    LIMIT 1
) AS found
ORDER BY v.root_id, v.version
"""

_ANY_RUN: Final = _AUDITS.format(day_of_root="", same_day="")
_LIVE: Final = _AUDITS.format(
    day_of_root="JOIN live_roots AS r ON r.root_id = v.root_id", same_day="AND t.day = r.day"
)


class AuditRow(NamedTuple):
    """A tweet that people labelled blind as an audit, by the score that counts.

    `person` is the label of more than half of them, or None where no label is. Of the ordered
    pairs of `people`, `agreeing` gave the same label.
    """

    person: str | None
    model: str
    posted_at: datetime
    rules: tuple[str, ...]
    language: str | None
    people: int
    agreeing: int

    @property
    def day(self) -> date:
        """The day in UTC: of the rollups, and of the table."""
        return self.posted_at.date()


def audits_of(cursor: Any, run: str) -> list[AuditRow]:
    """Return every audit of a run whose tweet is stored in the version that was labelled.

    Costs as many look-ups as there are audits, however many tweets the run has.
    """
    cursor.execute(_LIVE if run == LIVE else _ANY_RUN, {"run": run})
    return list(_rows(cursor))


def _rows(cursor: Any) -> Iterator[AuditRow]:
    for person, model, posted_at, rules, language, people, agreeing in cursor:
        yield AuditRow(person, model, posted_at, tuple(rules), language, people, agreeing)
