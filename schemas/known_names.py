"""Rules and labels that a person names: a slip in one is said, and is no empty answer."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from psycopg2.extensions import cursor

from schemas.failures import NotThere
from schemas.transport.postgres import Connection

_MOST_NAMED: Final = 10
_MOST_RULES: Final = 10_000

_OF_MODELS: Final = """
SELECT m.labels FROM models AS m
WHERE m.model_id IN (
    SELECT DISTINCT model_id FROM rollups WHERE run = %s AND granularity = 'day' AND rule = ''
)
ORDER BY m.model_id DESC
"""
_WITH_TWEETS: Final = """
SELECT DISTINCT rule FROM rollups
WHERE rule = ANY(%(rules)s) AND granularity = 'day' AND tweets > 0
  AND (%(run)s::text IS NULL OR run = %(run)s)
"""
_ALL_RULES: Final = """
SELECT DISTINCT rule FROM rollups
WHERE rule <> '' AND granularity = 'day' AND tweets > 0
  AND (%(run)s::text IS NULL OR run = %(run)s)
ORDER BY rule LIMIT %(most)s
"""


class UnknownLabel(NotThere):
    """No model that scored the run has this label; the message names those that there are."""


def labels_of_models(cur: cursor, run: str) -> tuple[str, ...]:
    """Return the labels in the newest model's order, then those that older models had besides.

    Of the models that scored the run; none before the first tweet.
    """
    # Rollups say it without a look at every tweet.
    cur.execute(_OF_MODELS, (run,))
    return tuple(dict.fromkeys(label for (of_model,) in cur for label in of_model))


def require_labels(connection: Connection, run: str, labels: Iterable[str]) -> None:
    """Raise `UnknownLabel` for a label that no tweet of the run can have.

    Before the first tweet nobody knows which there are.
    """
    with connection, connection.cursor() as cur:
        known = labels_of_models(cur, run)
    for label in labels:
        if known and label not in known:
            raise UnknownLabel(
                f"no model of run {run!r} has the label {label!r}: its labels are "
                f"{', '.join(known[:_MOST_NAMED])}{', …' if len(known) > _MOST_NAMED else ''}"
            )


def rules_without_tweets(
    connection: Connection, run: str | None, rules: Iterable[str]
) -> list[str]:
    """Return a sentence for each of these rules of which the run (None: any run) has no tweet.

    No error: a rule may be new. The sentence names rules that are spelled alike, or some there are.
    """
    named = [rule for rule in dict.fromkeys(rules) if rule]
    if not named:
        return []
    with connection, connection.cursor() as cur:
        cur.execute(_WITH_TWEETS, {"run": run, "rules": named})
        missing = set(named) - {rule for (rule,) in cur}
        if not missing:
            return []
        cur.execute(_ALL_RULES, {"run": run, "most": _MOST_RULES})
        known = [rule for (rule,) in cur]
    about = "no run has a tweet" if run is None else f"run {run!r} has no tweet"
    return [f"{about} of rule {rule!r}{_hint(rule, known)}" for rule in named if rule in missing]


def _hint(rule: str, known: list[str]) -> str:
    alike = get_close_matches(rule, known, n=3)
    if alike:
        return f"; there is {', '.join(map(repr, alike))}"
    if not known:
        return "; no tweet matched a rule"
    more = len(known) - _MOST_NAMED
    named = ", ".join(map(repr, known[:_MOST_NAMED]))
    return f"; there are {named}" + (f" and {more:,} more" if more > 0 else "")
