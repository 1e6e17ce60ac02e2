"""What people said of a span's tweets, beside what the model said."""

from math import sqrt
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.drift.why.compare_spans import Span

_Z: Final = 1.959964
"""Of a 95 % interval."""


class Interval(Struct, frozen=True):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


class AuditedSpan(Struct, frozen=True):
    """How often the model's and people's labels met: `counts` by (model's label, people's label).

    Only audits, which are a uniform sample labelled without sight of the model's answer.
    """

    counts: dict[tuple[str, str], int]

    @property
    def audits(self) -> int:
        """How many tweets were audited."""
        return sum(self.counts.values())

    def accuracy(self) -> Interval | None:
        """Return the share of audits in which the model agreed; None without audits."""
        agreed = sum(count for (one, other), count in self.counts.items() if one == other)
        return wilson(agreed, self.audits)

    def recall(self, label: str) -> Interval | None:
        """Return the share of what people call so that the model calls so too."""
        given = sum(count for (_, people), count in self.counts.items() if people == label)
        return wilson(self.counts.get((label, label), 0), given)

    def share(self, label: str) -> Interval | None:
        """Return the label's share by people alone."""
        given = sum(count for (_, people), count in self.counts.items() if people == label)
        return wilson(given, self.audits)


def wilson(hits: int, of: int) -> Interval | None:
    """Return a share with Wilson's score interval (Wilson 1927); None of nothing."""
    if not of:
        return None
    share, z2 = hits / of, _Z**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    # Rounding may put a bound a hair inside of the share itself.
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def read_audits(cur: cursor, run: str, span: Span, rule: str = "") -> AuditedSpan:
    """Return the audits of the tweets of a run (of a rule) that were posted in a span."""
    cur.execute(
        "SELECT s.label, a.label, count(*)"
        " FROM audits AS a"
        " JOIN tweets AS t ON t.root_id = a.root_id AND t.run = a.run AND t.version = a.version"
        " JOIN scores AS s"
        "  ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts"
        "  AND s.version = t.version"
        " WHERE a.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s"
        " AND t.posted_at >= %(start)s AND t.posted_at < %(end)s"
        " AND (%(rule)s = '' OR %(rule)s = ANY(t.rules)) GROUP BY 1, 2",
        {
            "run": run,
            "rule": rule,
            "start": span.start,
            "end": span.end,
            "first_day": span.start.date(),
            "last_day": span.end.date(),
        },
    )
    return AuditedSpan({(model, people): count for model, people, count in cur})
