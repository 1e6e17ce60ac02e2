"""What the watch has stored of a run, read for `GET /drift`."""

from datetime import timedelta

from psycopg2.extensions import cursor

from retrain.drift.figures.drift_figures import (
    DriftFigures,
    seen_reference,
    series_of_signals,
)
from retrain.drift.not_judged import windows_not_judged
from retrain.drift.watch.reference_store import used_reference
from retrain.drift.watch.window_store import watched_runs, windows_between
from retrain.drift.window import WindowKey
from schemas.failures import NotThere


def read_drift_figures(cur: cursor, run: str, rule: str, *, windows: int) -> DriftFigures:
    """Return the newest windows of a run and rule, of the model that scored the last of them.

    Raises `NotThere` where the watch has seen nothing of them.
    """
    watched = watched_runs(cur, [run])
    cur.execute(
        "SELECT model_sha256, start FROM watch_windows WHERE run = %s AND rule = %s"
        " ORDER BY start DESC, model_sha256 LIMIT 1",
        (run, rule),
    )
    newest = cur.fetchone()
    if not watched or newest is None:
        raise NotThere("the watch has seen nothing of this run and rule: `murmur watch` counts it")
    model_sha256, last = newest
    pace = watched[0].pace
    first = last - (windows - 1) * pace.window
    found = windows_between(
        cur, run, first, last + timedelta(microseconds=1), series=(rule, model_sha256)
    )
    reference = used_reference(cur, WindowKey(run, rule, model_sha256, last))
    return DriftFigures(
        run=run,
        rule=rule,
        model_sha256=model_sha256,
        window_s=int(pace.window.total_seconds()),
        closed_until=watched[0].closed_until,
        reference=None if reference is None else seen_reference(reference),
        not_judged=windows_not_judged(cur, run, rule, start=first),
        signals=series_of_signals(found, rule, reference),
    )
