"""When each tweet is due, so that the distances between tweets are those of their times."""

from datetime import datetime

from schemas.events import RawEvent, TweetPosted


class PlaybackClock:
    """Plays time `speed` times as fast as it went; None is as fast as possible.

    The first tweet is due at once, and every other by its distance from it, so that nothing adds
    up. What is late goes at once, as do tweets older than the first, and removals: those stand
    behind the tweets that they follow. Times are seconds of one monotonic clock.
    """

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._first: tuple[datetime, float] | None = None
        self._latest: datetime | None = None
        self.out_of_order = 0
        """How many tweets were older than one that went before them, so that they were late."""

    @property
    def keeps_time(self) -> bool:
        """Tell whether tweets have moments at which they are due."""
        return self._speed is not None

    def wait_s(self, event: RawEvent, now_s: float) -> float:
        """Return how long to wait before the event."""
        if self._speed is None or not isinstance(event, TweetPosted):
            return 0.0
        at = _time_of(event)
        if self._first is None:
            self._first = (at, now_s)
        first_at, first_s = self._first
        return max(0.0, first_s + (at - first_at).total_seconds() / self._speed - now_s)

    def published(self, event: RawEvent) -> None:
        """Note that an event went."""
        if self._speed is None or not isinstance(event, TweetPosted):
            return
        at = _time_of(event)
        if self._latest is None or at >= self._latest:
            self._latest = at
        else:
            self.out_of_order += 1


def _time_of(tweet: TweetPosted) -> datetime:
    return tweet.edited_at or tweet.posted_at
