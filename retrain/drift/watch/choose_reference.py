"""References of a span that a person names: what windows are held against from then on."""

from datetime import datetime

import msgspec
from msgspec import Struct

from retrain.drift.reference import build_reference
from retrain.drift.watch.hashtag_store import hashtags_between, highest_shares
from retrain.drift.watch.reference_store import store_reference
from retrain.drift.watch.window_store import series_of, watched_runs, windows_between
from schemas import locks
from schemas.failures import Failure
from schemas.transport.postgres import Connection


class MadeReference(Struct, frozen=True, kw_only=True):
    """A reference that was made; `rule` is empty for all rules together."""

    run: str
    rule: str
    model_sha256: str
    start: datetime
    end: datetime
    windows: int
    tweets: int
    used: bool


def choose_reference(
    connection: Connection,
    run: str,
    span: tuple[datetime, datetime],
    *,
    use: bool,
    tolerated_error: float | None,
    least_tweets: int,
) -> list[MadeReference]:
    """Make references of the windows that start in a span, of each rule and model that has some.

    With `use` they count from the next window on that is judged, and alarms against the old ones
    end. Late tweets are left out. Hashtags are those of windows of `least_tweets`. Raises `Failure`
    where the span has no windows.
    """
    start, end = span
    made = []
    with connection, connection.cursor() as cur:
        cur.execute("SELECT pg_advisory_xact_lock(%s)", (locks.WATCH,))
        for watched in watched_runs(cur, [run]):
            for series in series_of(cur, run, start, end):
                windows = windows_between(cur, run, start, end, series=series)
                if not windows:
                    continue
                reference = msgspec.structs.replace(
                    build_reference(
                        windows,
                        window=watched.pace.window,
                        hashtags=highest_shares(
                            windows,
                            hashtags_between(cur, run, start, end, series=series),
                            least_tweets=least_tweets,
                        ),
                    ),
                    tolerated_error=tolerated_error,
                )
                store_reference(cur, reference, span, chosen=True, use=use)
                made.append(
                    MadeReference(
                        run=run,
                        rule=reference.rule,
                        model_sha256=reference.model_sha256,
                        start=reference.start,
                        end=reference.end,
                        windows=reference.windows,
                        tweets=reference.tweets,
                        used=use,
                    )
                )
    if not made:
        raise Failure(f"the watch has counted nothing of run {run!r} in this span")
    return made
