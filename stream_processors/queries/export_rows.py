"""The tweets of a run with the scores that count, one after the other in one order."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from schemas.transport.postgres import Connection
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
from stream_processors.aggregates.aggregates import EVERYTHING, Selection
from stream_processors.aggregates.count_rows import CHOSEN

_FETCHED_AT_ONCE: Final = 2_000

# Rows of older releases may have times that Python does not know: they are shown as the nearest.
# The whole order is by keys, so two exports of the same data are the same to the byte.
COLUMNS: Final = """
t.tweet_id, t.root_id, t.version, t.posted_at,
       CASE WHEN t.edited_at IS NOT NULL
       THEN least(greatest(t.edited_at, %(first)s), %(last)s) END, t.author_id, t.retweet_of,
       t.language, t.rules, t.hashtags, t.text, t.human_label, s.label, s.confidence,
       s.probabilities, m.name, m.version, m.sha256,
       least(greatest(s.scored_at, %(first)s), %(last)s), s.language_known,
       s.decision_id, s.override_name, s.label_without
FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
JOIN models AS m ON m.model_id = s.model_id
"""
"""The columns of an `ExportRow`, and where they are read: what follows is a WHERE."""

_ROWS: Final = f"""
SELECT {COLUMNS}
WHERE t.run = %(run)s AND s.run = %(run)s {{chosen}}
ORDER BY t.day, t.root_id
"""

_IDS = "SELECT tweet_id FROM tweets WHERE run = %(run)s ORDER BY day, root_id"

_CHOSEN_IDS = f"""
SELECT t.tweet_id FROM tweets AS t
JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
WHERE t.run = %(run)s AND s.run = %(run)s {CHOSEN}
ORDER BY t.day, t.root_id
"""  # noqa: S608

_LABELS = """
SELECT DISTINCT unnest(m.labels) FROM models AS m
WHERE m.model_id IN (SELECT model_id FROM scores WHERE run = %(run)s AND counts) ORDER BY 1
"""


class Choice(NamedTuple):
    """Which tweets are exported: those of a selection, from `start` up to but not at `end`."""

    selection: Selection = EVERYTHING
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it leaves no tweet out."""
        return self == ALL_TWEETS


ALL_TWEETS: Final = Choice()


class ExportRow(NamedTuple):
    """One tweet as it is exported; the fields are the columns, in this order.

    `language_known` is False where the label is a guess, in a language that the model does not
    know; None where the language is undetermined. `decision_id` names the decision that chose the
    label and its confidence; None where the model did. `probabilities` are always the model's own.
    `override_name` names the team's override that gave the label; `label_without` is the label
    without it.
    """

    tweet_id: str
    root_id: str
    version: int
    posted_at: datetime
    edited_at: datetime | None
    author_id: str | None
    retweet_of: str | None
    language: str | None
    rules: list[str]
    hashtags: list[str]
    text: str
    human_label: str | None
    label: str
    confidence: float
    probabilities: dict[str, float]
    model_name: str
    model_version: str
    model_sha256: str
    scored_at: datetime
    language_known: bool | None
    decision_id: str | None = None
    override_name: str | None = None
    label_without: str | None = None


def rows_of(connection: Connection, run: str, choice: Choice = ALL_TWEETS) -> Iterator[ExportRow]:
    """Yield a run's tweets by day and root id, holding a few thousand of them at a time."""
    chosen = "" if choice.is_everything else CHOSEN
    for row in _streamed(connection, _ROWS.format(chosen=chosen), run, choice):
        yield ExportRow(*row)


def ids_of(connection: Connection, run: str, choice: Choice = ALL_TWEETS) -> Iterator[str]:
    """Yield the ids of a run's tweets in the order of `rows_of`."""
    statement = _IDS if choice.is_everything else _CHOSEN_IDS
    for (tweet_id,) in _streamed(connection, statement, run, choice):
        yield tweet_id


def labels_of(connection: Connection, run: str) -> list[str]:
    """Return every label that a model of this run knows, sorted."""
    with connection.cursor() as cursor:
        cursor.execute(_LABELS, {"run": run})
        return sorted(label for (label,) in cursor)


def _streamed(
    connection: Connection, statement: str, run: str, choice: Choice
) -> Iterator[tuple[Any, ...]]:
    cursor = connection.cursor(name="export")
    cursor.itersize = _FETCHED_AT_ONCE
    selection = choice.selection
    values = {
        "run": run,
        "first": FIRST_TWEET,
        "last": LAST_MOMENT,
        "start": choice.start,
        "end": choice.end,
        "rules": list(selection.rules) or None,
        "labels": list(selection.labels) or None,
        "languages": list(selection.languages) or None,
    }
    cursor.execute(statement, values)
    # Not `yield from`, which closes it where nobody reads to its end: it went with the transaction.
    for row in cursor:  # noqa: UP028
        yield row
    cursor.close()
