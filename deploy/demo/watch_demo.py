"""The demo's last act: the watch finds that people speak otherwise, and says why."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from deploy.demo.sample_events import FIRST_DAY, LAST_DAY
from retrain.drift.alarms.sentences import sentence
from retrain.drift.alarms.stored_alarms import AlarmSelection, StoredAlarm, find_alarms
from retrain.drift.alarms.why_alarm import why_alarm
from retrain.drift.watch.choose_reference import choose_reference
from retrain.drift.watch.recompute import recompute_run
from retrain.drift.what_changed import FeatureKind, MovedFeature
from schemas.alarm_events import Signal
from schemas.setting_views import WatchLimits
from schemas.transport.postgres import Connection

_MOST_ALARMS: Final = 200
_MOST_MOVED: Final = 3
_SIGNS: Final = {FeatureKind.HASHTAG: "#", FeatureKind.MENTION: "@"}


class DemoAlarm(Struct, frozen=True, kw_only=True):
    """An alarm of the last day: its sentence, how long after the shift it came, and what moved.

    `others` counts the other alarms of that day.
    """

    sentence: str
    hours_after_shift: float
    moved: list[str]
    others: int


def watch_demo(
    connection: Connection, run: str, limits: WatchLimits, *, scored_topic: str
) -> DemoAlarm | None:
    """Hold the last day against those before it; None where nothing stands out.

    The watch learns for days before it raises anything, and the archive has three. So it is told
    which days to go by, as a person would with `murmur watch reference`.
    """

    def recount() -> None:
        recompute_run(connection, run, limits, topic=scored_topic, pieces_of=lambda _: None)

    recount()
    choose_reference(
        connection,
        run,
        (FIRST_DAY, LAST_DAY),
        use=True,
        tolerated_error=None,
        least_tweets=limits.alarms.least_tweets,
    )
    recount()
    with connection, connection.cursor() as cur:
        _, found = find_alarms(cur, AlarmSelection(run=run), _MOST_ALARMS)
        of_last_day = [alarm for alarm in found if alarm.window_start >= LAST_DAY]
        if not of_last_day:
            return None
        alarm = min(of_last_day, key=_clearest)
        why = why_alarm(cur, alarm)
    return DemoAlarm(
        sentence=sentence(alarm),
        hours_after_shift=round((alarm.window_end - LAST_DAY) / timedelta(hours=1), 1),
        moved=[
            f"{_SIGNS.get(moved.kind, '')}{moved.name} "
            f"({moved.share_before:.1%} before, {moved.share_after:.1%} after)"
            for moved in _first_of_each_kind(why.changed.moved)[:_MOST_MOVED]
        ],
        others=len(of_last_day) - 1,
    )


def _first_of_each_kind(moved: Sequence[MovedFeature]) -> list[MovedFeature]:
    """Return the word, the hashtag and so on that moved most, the clearest first."""
    firsts: dict[FeatureKind, MovedFeature] = {}
    for feature in sorted(moved, key=lambda each: -abs(each.z)):
        firsts.setdefault(feature.kind, feature)
    return list(firsts.values())


def _clearest(alarm: StoredAlarm) -> tuple[bool, bool, object]:
    """Prefer a label's share, of a rule, that was found first."""
    return alarm.signal != Signal.LABEL_SHARE, alarm.rule == "", alarm.window_start
