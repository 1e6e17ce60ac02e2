"""Which model scores, noted each time that it is another one.

A promotion is stored by whoever makes it. A model that the settings name is told by what it scores.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from psycopg2.extensions import cursor

from schemas.events import ScoredEvent, TweetScored

_SIDE_BY_SIDE: Final = timedelta(minutes=2)
"""While processes restart one by one, two models score for a while: that is one change."""


class ModelTurns:
    """Notes a turn where a tweet was scored by another model than the last turn's.

    One that has scored within the last two minutes only goes on beside it. Tweets of a split are
    left out, as promotions tell of them, and so is what was scored before the last turn.
    """

    def __init__(self) -> None:
        self._last_scored_at: dict[str, datetime] = {}

    def note(self, cur: cursor, events: Iterable[ScoredEvent]) -> None:
        """Note the turns of a batch in its transaction."""
        first: dict[str, TweetScored] = {}
        for event in _scored_alone(events):
            known = first.setdefault(event.score.model.sha256, event)
            if event.score.scored_at < known.score.scored_at:
                first[event.score.model.sha256] = event
        if not first:
            return
        cur.execute("SELECT since, sha256 FROM model_turns ORDER BY since DESC, sha256 LIMIT 1")
        since, serves = cur.fetchone() or (None, None)
        for event in sorted(first.values(), key=lambda each: each.score.scored_at):
            model, at = event.score.model, event.score.scored_at
            seen_at = self._last_scored_at.get(model.sha256)
            goes_on = seen_at is not None and at - seen_at <= _SIDE_BY_SIDE
            if model.sha256 == serves or goes_on or (since is not None and at <= since):
                continue
            cur.execute(
                "INSERT INTO model_turns (since, sha256, name, version) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (at, model.sha256, model.name, model.version),
            )
            since, serves = at, model.sha256

    def stored(self, events: Iterable[ScoredEvent]) -> None:
        """Remember when each model scored last; its batch is committed."""
        for event in _scored_alone(events):
            sha256, at = event.score.model.sha256, event.score.scored_at
            self._last_scored_at[sha256] = max(self._last_scored_at.get(sha256, at), at)


def _scored_alone(events: Iterable[ScoredEvent]) -> Iterable[TweetScored]:
    return (each for each in events if isinstance(each, TweetScored) and each.score.arm is None)
