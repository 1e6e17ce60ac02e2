"""What pages are made from: the readers of figures, each kept a moment for all open pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import redis

from deploy.page.label_looks import in_order
from deploy.page.shared_answers import SharedAnswers
from deploy.page.view_address import ViewAddress
from retrain.drift.alarms.stored_alarms import StoredAlarm, alarms_between
from schemas import cache_keys
from schemas.events import LIVE
from schemas.known_runs import default_run, run_names
from schemas.setting_views import AggregatesCacheSettings
from schemas.transport.postgres import Connection
from stream_processors.aggregates.aggregates import Aggregates
from stream_processors.aggregates.time_windows import (
    ALL,
    Window,
    between,
    floor,
    parse_window,
)
from stream_processors.queries.http.parameters import moment_of
from stream_processors.queries.totals import read_totals

KEPT_S: Final = 4.0
"""Pages ask every 5 s, so that each sees new figures and none costs a question of its own."""

_MOST_ROWS: Final = 1_000
"""Of larger selections at least so many tweets are read for hashtags and languages: the share of
one of them is then known to ± 3 points."""

_MOST_ALARMS: Final = 50
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=30)


@dataclass(frozen=True)
class PageSources:
    """Where the figures of pages come from."""

    cache: AggregatesCacheSettings
    connect_redis: Callable[[], "redis.Redis"]
    lend: Callable[[], AbstractContextManager[Connection]]
    shared: SharedAnswers

    def runs(self) -> list[str]:
        """Return the runs, the one that changed last first."""

        def ask() -> list[str]:
            with self.lend() as connection:
                return run_names(connection)

        return self.shared.get("runs", ask)

    def run_of(self, view: ViewAddress) -> str:
        """Return the run of a view; raise `UnknownRun` where there is none at all."""

        def ask() -> str:
            with self.lend() as connection:
                return default_run(connection)

        return view.run or self.shared.get("default run", ask)

    def figures(self, view: ViewAddress) -> Aggregates:
        """Return the figures of a view that names its run; raise `Failure`."""

        window = self.cheap_window(view)

        def ask() -> Aggregates:
            return read_totals(
                view.run,
                window,
                datetime.now(UTC),
                view.selection,
                cache=self.cache,
                connect_redis=self.connect_redis,
                lend_postgres=self.lend,
                most_rows=_MOST_ROWS,
            ).aggregates

        asked = ("figures", view.run, view.window, view.start, view.end, view.selection)
        return self.shared.get(asked, ask)

    def cheap_window(self, view: ViewAddress) -> Window:
        """Return the window, from a whole hour or day where it is long and Redis does not hold it.

        From any minute on only rollups of minutes fit, and with many rules those are millions.
        """
        window = window_of(view)
        is_held = window.name in cache_keys.WINDOWS and not view.selection
        if window.length is None or window.length < _DAY or is_held:
            return window
        end = datetime.now(UTC) if view.run == LIVE else self.whole(view.run or "").end
        if end is None:
            return window
        start = floor(end - window.length, "day" if window.length >= _MONTH else "hour")
        return between(start, None)

    def whole(self, run: str) -> Aggregates:
        """Return the figures of all tweets of a run."""
        return self.figures(ViewAddress(run=run, window=ALL))

    def labels_of(self, run: str) -> list[str]:
        """Return the labels of a run's tweets, from the worst to the best."""
        return in_order(each.label for each in self.whole(run).labels)

    def span_of(self, view: ViewAddress) -> tuple[datetime | None, datetime | None]:
        """Return from when to when a view is; None where that is open, or there are no tweets."""
        if view.is_a_span:
            window = window_of(view)
            return window.start, window.end
        if view.window in (None, ALL):
            whole = self.whole(view.run or "")
            return whole.start, whole.end
        figures = self.figures(ViewAddress(run=view.run, window=view.window))
        return figures.start, figures.end

    def alarms(self, run: str, start: datetime, end: datetime) -> list[StoredAlarm]:
        """Return the alarms that windows within a span raised, oldest first."""

        def ask() -> list[StoredAlarm]:
            with self.lend() as connection, connection, connection.cursor() as cursor:
                return alarms_between(cursor, run, start, end, _MOST_ALARMS)

        return self.shared.get(("alarms", run, start, end), ask)


def window_of(view: ViewAddress) -> Window:
    """Return the stretch of time of a view; raise `Failure` for one that names none."""
    if view.is_a_span:
        return between(moment_of(view.start), moment_of(view.end))
    return parse_window(view.window or "all")
