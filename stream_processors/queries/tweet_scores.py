"""Every score of one tweet: of the models that have seen it, and the one that counts."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from schemas.transport.postgres import Connection

_SCORES: Final = """
SELECT m.name, m.version, m.sha256, s.version, s.counts, s.label, s.confidence, s.probabilities,
       least(greatest(s.scored_at, '2000-01-01'), '9999-01-01'), s.decision_id
FROM scores AS s JOIN models AS m USING (model_id)
WHERE s.root_id = %(root_id)s AND s.run = %(run)s
ORDER BY s.counts DESC, s.scored_at DESC, m.sha256 LIMIT %(most)s
"""


class TweetScore(Struct, frozen=True, kw_only=True):
    """A model's score of a version of a tweet; `counts` is whether the figures hold it."""

    model_name: str
    model_version: str
    model_sha256: str
    version: int
    counts: bool
    label: str
    confidence: float
    probabilities: dict[str, float]
    scored_at: datetime
    decision_id: str | None


def scores_of(connection: Connection, run: str, root_id: str, *, most: int) -> list[TweetScore]:
    """Return the scores of a tweet, the one that counts first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_SCORES, {"run": run, "root_id": root_id, "most": most})
        return [
            TweetScore(**dict(zip(TweetScore.__struct_fields__, row, strict=True)))
            for row in cursor
        ]
