"""What each model's scores say of a span: from rollups, so bounded by what is shown."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from schemas.transport.postgres import Connection

_SHARES: Final = """
SELECT m.name, m.version, m.sha256, r.label, sum(r.tweets)::bigint
FROM rollups AS r JOIN models AS m USING (model_id)
WHERE r.run = %(run)s AND r.granularity = %(granularity)s AND r.rule = %(rule)s
  AND r.bucket_start >= %(start)s AND r.bucket_start < %(end)s
GROUP BY m.model_id, r.label HAVING sum(r.tweets) > 0
"""


class ModelShares(Struct, frozen=True, kw_only=True):
    """The tweets whose score that counts came from a model, by label."""

    name: str
    version: str
    sha256: str
    by_label: dict[str, int]

    @property
    def tweets(self) -> int:
        """How many tweets there are."""
        return sum(self.by_label.values())


def model_shares(
    connection: Connection,
    run: str,
    rule: str,
    start: datetime,
    end: datetime,
    granularity: str,
) -> list[ModelShares]:
    """Return each model's tweets, of a rule or (empty) of all; the most first.

    `granularity` is that of the rollups, into which the span has to fit.
    """
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    with connection, connection.cursor() as cursor:
        cursor.execute(
            _SHARES,
            {"run": run, "rule": rule, "start": start, "end": end, "granularity": granularity},
        )
        for name, version, sha256, label, tweets in cursor:
            found.setdefault((name, version, sha256), {})[label] = tweets
    shares = [
        ModelShares(
            name=name, version=version, sha256=sha256, by_label=dict(sorted(labels.items()))
        )
        for (name, version, sha256), labels in found.items()
    ]
    return sorted(shares, key=lambda each: (-each.tweets, each.sha256))
