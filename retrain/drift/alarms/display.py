"""Alarms as people read them."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from retrain.drift.alarms.sentences import (
    MEANINGS,
    WITH_VALIDATION,
    how_it_ended,
    moment_text,
    sentence,
    what_happened,
    where,
    window_text,
)
from retrain.drift.alarms.stored_alarms import StoredAlarm
from schemas.alarm_events import AlarmKind, ComparedWith
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table

_SHOWN_ID_CHARS: Final = 12
_STYLES: Final = {AlarmKind.MODEL: "yellow", AlarmKind.WORLD: "cyan"}


def alarms_table(alarms: Sequence[StoredAlarm]) -> Table:
    """Return what `murmur alarms list` shows."""
    copied = ("id", "meaning", "run", "since", "state")
    table = plain_table(*copied, "what happened", whole=copied)
    for alarm in alarms:
        table.add_row(
            alarm.alarm_id[:_SHOWN_ID_CHARS],
            Text(MEANINGS[alarm.kind], style=_STYLES[alarm.kind]),
            alarm.run,
            moment_text(alarm.since),
            _state(alarm),
            Text(what_happened(alarm)),
        )
    return table


def alarm_view(alarm: StoredAlarm) -> RenderableType:
    """Return all that is known of an alarm."""
    table = plain_table()
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    acknowledged = "no"
    if alarm.acknowledged_at is not None:
        by = shown(alarm.acknowledged_by)
        acknowledged = f"by {by}, {moment_text(alarm.acknowledged_at)}"
    for name, content in (
        ("id", alarm.alarm_id),
        ("kind", f"{alarm.kind.value}: {MEANINGS[alarm.kind]}"),
        ("about", where(alarm)),
        ("run", alarm.run),
        ("signal", shown(f"{alarm.signal} {alarm.subject}".strip())),
        ("since", moment_text(alarm.since)),
        ("decided by", window_text(alarm)),
        ("raised", moment_text(alarm.raised_at)),
        ("state", how_it_ended(alarm)),
        ("acknowledged", acknowledged),
        ("note", shown(alarm.acknowledged_note or "")),
        ("detector", shown(alarm.detector)),
        ("false alarms", _false_alarms(alarm)),
        ("model", shown(alarm.model_sha256)),
    ):
        table.add_row(Text(name), Text(content))
    return Group(Text(sentence(alarm), style=_STYLES[alarm.kind]), "", table)


def _false_alarms(alarm: StoredAlarm) -> str:
    if alarm.compared_with is ComparedWith.VALIDATION:
        return f"no rate can be stated: {WITH_VALIDATION}"
    return f"{alarm.false_alarms_per_year:g} a year, if its reference is right"


def _state(alarm: StoredAlarm) -> str:
    state = "open" if alarm.ended_at is None else "ended"
    return f"{state}, seen" if alarm.acknowledged_at is not None else state
