"""How right the models were, by what the tweets were written to say, and what can be counted."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec import Struct

from deploy.demo.full.changing_stream import RUN, Written
from deploy.demo.verification import Check, check
from schemas.transport.postgres import Connection

AROUND: Final = timedelta(seconds=5)

_SCORES: Final = """
SELECT root_id, label, sha256, received_at, scored_at
FROM tweets JOIN scores USING (run, day, root_id) JOIN models USING (model_id)
WHERE run = %s AND counts
"""


class StoredScore(NamedTuple):
    """A tweet's label that counts, and who gave it when."""

    root_id: str
    label: str
    model: str
    received_at: datetime
    scored_at: datetime


class Accuracy(Struct, frozen=True, kw_only=True):
    """What one model said of some tweets. `accuracy` and the shares are of 1; None without tweets.

    `said` and `meant` are the shares of each label, by the model and by who wrote the tweets.
    """

    tweets: int
    accuracy: float | None
    said: dict[str, float]
    meant: dict[str, float]


def read_scores(connection: Connection) -> list[StoredScore]:
    """Return the scores that count, of all tweets of the demo."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_SCORES, (RUN,))
        return [StoredScore(*row) for row in cursor]


def accuracy_of(scores: Iterable[StoredScore], moods: Mapping[str, str | None]) -> Accuracy:
    """Return how right labels are, over the tweets whose mood is known."""
    pairs = [
        (score.label, mood) for score in scores if (mood := moods.get(score.root_id)) is not None
    ]
    right = sum(label == mood for label, mood in pairs)
    return Accuracy(
        tweets=len(pairs),
        accuracy=round(right / len(pairs), 4) if pairs else None,
        said=_shares([label for label, _ in pairs]),
        meant=_shares([mood for _, mood in pairs]),
    )


def longest_wait_s(scores: Iterable[StoredScore], model: str) -> float | None:
    """Return the longest time from receipt to score within five seconds of a model's first score.

    None where the model has scored nothing.
    """
    every = list(scores)
    began = min((score.scored_at for score in every if score.model == model), default=None)
    if began is None:
        return None
    near = [score for score in every if abs(score.scored_at - began) <= AROUND]
    return round(max((each.scored_at - each.received_at).total_seconds() for each in near), 3)


def count_everything(
    connection: Connection, written: Written, *, labels: int, promoted: set[str]
) -> list[Check]:
    """Count in PostgreSQL what should be there, row by row."""
    scores = read_scores(connection)
    with connection, connection.cursor() as cursor:

        def number(statement: str) -> int:
            cursor.execute(statement, {"run": RUN})
            return int(cursor.fetchall()[0][0])

        return [
            check(
                "tweets stored, of those published",
                len(written.moods),
                number("SELECT count(*) FROM tweets WHERE run = %(run)s"),
            ),
            check("scores that count, one a tweet", len(written.moods), len(scores)),
            check(
                "tweets with these very ids",
                len(written.moods),
                len({score.root_id for score in scores} & written.moods.keys()),
            ),
            check(
                "scores by a model that was promoted",
                len(written.moods),
                sum(score.model in promoted for score in scores),
            ),
            check(
                "dead letters", 0, number("SELECT count(*) FROM dead_letters WHERE run = %(run)s")
            ),
            *(
                check(
                    f"totals by {granularity}",
                    len(written.moods),
                    number(
                        "SELECT coalesce(sum(tweets), 0) FROM rollups WHERE run = %(run)s"  # noqa: S608
                        f" AND rule = '' AND granularity = '{granularity}'"
                    ),
                )
                for granularity in ("minute", "hour", "day")
            ),
            check(
                "labels stored, of those given",
                labels,
                number("SELECT count(*) FROM labels WHERE run = %(run)s"),
            ),
            check(
                "alarms from before the change",
                0,
                number(
                    "SELECT count(*) FROM alarms WHERE run = %(run)s AND window_end <= ("  # noqa: S608
                    "SELECT min(posted_at) FROM tweets WHERE run = %(run)s AND root_id = "
                    f"'{min(written.after_change, key=int)}')"
                )
                if written.after_change
                else 0,
            ),
            check(
                "jobs that trained",
                1,
                number("SELECT count(*) FROM retrain_jobs WHERE run = %(run)s AND state = 'done'"),
            ),
        ]


def _shares(labels: list[str]) -> dict[str, float]:
    return {label: round(labels.count(label) / len(labels), 4) for label in sorted(set(labels))}
