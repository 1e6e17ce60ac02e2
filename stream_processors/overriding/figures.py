"""A run's labels with its overrides and without them."""

from collections import Counter

from msgspec import Struct
from psycopg2.extensions import cursor


class OverrideChange(Struct, frozen=True, kw_only=True):
    """How many tweets an override gave `label`, which had `without` before."""

    name: str
    version: str
    without: str
    label: str
    tweets: int


class OverrideFigures(Struct, frozen=True, kw_only=True):
    """Tweets of a run by label, as they count and as they would without overrides."""

    run: str
    labels: dict[str, int]
    labels_without: dict[str, int]
    changes: list[OverrideChange]


def override_figures(cur: cursor, run: str) -> OverrideFigures:
    """Return what overrides change of a run's stored tweets, by the scores that count."""
    cur.execute(
        "SELECT label, sum(tweets)::bigint FROM rollups"
        " WHERE run = %s AND granularity = 'day' AND rule = '' GROUP BY label ORDER BY label",
        (run,),
    )
    labels = Counter(dict(cur.fetchall()))
    cur.execute(
        "SELECT override_name, override_version, label_without, label, count(*) FROM scores"
        " WHERE run = %s AND counts AND override_name IS NOT NULL"
        " GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4",
        (run,),
    )
    changes = [
        OverrideChange(name=name, version=version, without=without, label=label, tweets=tweets)
        for name, version, without, label, tweets in cur
    ]
    without = Counter(labels)
    for change in changes:
        without[change.label] -= change.tweets
        without[change.without] += change.tweets
    return OverrideFigures(
        run=run,
        labels=dict(sorted((+labels).items())),
        labels_without=dict(sorted((+without).items())),
        changes=changes,
    )
