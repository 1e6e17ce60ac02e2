"""Alarms for Prometheus: how many were raised, and how many are open, of which rules."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry
from psycopg2.extensions import cursor

from schemas.alarm_events import AlarmKind, AlarmMessage, AlarmRaised
from schemas.process.metric_list import WATCH_ALARMS_OPEN, WATCH_ALARMS_RAISED

MOST_RULES: Final = 50
OTHER_RULES: Final = "other"
"""The rules beyond the bound, together."""


class AlarmMetrics:
    """The alarms of an installation, whatever their run, as they stand in PostgreSQL.

    Every signal and both kinds are there from the start, with 0: an alert can wait for the first
    alarm. A rule has a series while it has open alarms; the rule "" is all tweets. At most
    `most_rules` rules have one, those with the most open alarms.
    """

    def __init__(self, registry: CollectorRegistry, *, most_rules: int = MOST_RULES) -> None:
        self._most_rules = most_rules
        self._raised = WATCH_ALARMS_RAISED.register(registry)
        self._open = WATCH_ALARMS_OPEN.register(registry)
        self._shown: set[tuple[str, str]] = set()
        self._show({})

    def count_raised(self, events: Iterable[AlarmMessage]) -> None:
        """Count the alarms that were raised among these events."""
        for event in events:
            if isinstance(event, AlarmRaised):
                self._raised.labels(event.kind.value, event.signal).inc()

    def read_open(self, cur: cursor) -> None:
        """Take over which alarms are open."""
        cur.execute(
            "WITH open AS (SELECT kind, rule, count(*) AS alarms FROM alarms"
            " WHERE ended_at IS NULL GROUP BY kind, rule),"
            " kept AS (SELECT rule FROM open WHERE rule <> '' GROUP BY rule"
            "  ORDER BY sum(alarms) DESC, rule LIMIT %s)"
            " SELECT kind, CASE WHEN rule = '' OR rule IN (SELECT rule FROM kept)"
            "  THEN rule ELSE %s END, sum(alarms) FROM open GROUP BY 1, 2",
            (self._most_rules, OTHER_RULES),
        )
        self._show({(kind, rule): int(alarms) for kind, rule, alarms in cur})

    def _show(self, found: dict[tuple[str, str], int]) -> None:
        always = {(kind.value, rule): 0 for kind in AlarmKind for rule in ("", OTHER_RULES)}
        for gone in self._shown - found.keys() - always.keys():
            self._open.remove(*gone)
        for labels, alarms in {**always, **found}.items():
            self._open.labels(*labels).set(alarms)
        self._shown = {*always, *found}
