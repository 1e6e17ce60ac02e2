"""Which part of an archive's time is replayed, and by how much it is moved."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from producers.parsing.provenance import Parsed, Refused
from schemas.codec import Reason
from schemas.events import AuthorErased, RawEvent, TweetDeleted, TweetPosted, TweetWithheld
from schemas.tweet_time import ImplausibleTime, check_plausible

OUTSIDE: Final = "outside-the-time-asked-for"
UNMOVED: Final = timedelta(0)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Times:
    """Keeps tweets first posted from `start` on and before `end`, and moves them by `shift`.

    Removals are kept whatever their time: what is deleted must go. `start` and `end` are times as
    the archive has them.
    """

    start: datetime | None = None
    end: datetime | None = None
    shift: timedelta = UNMOVED

    @property
    def leave_all_as_it_is(self) -> bool:
        """Whether all is replayed, at its own time: then there is nothing to apply."""
        return self.start is None and self.end is None and not self.shift

    def applied(self, parsed: Parsed, received_at: datetime) -> Parsed:
        """Return what is left of a record, counting what is not."""
        left = Parsed(
            refused=list(parsed.refused),
            skipped=list(parsed.skipped),
            overruled_times=parsed.overruled_times,
            dropped=list(parsed.dropped),
            untimed=parsed.untimed,
            swallowed_lines=parsed.swallowed_lines,
            context=parsed.context,
        )
        for place, event in enumerate(parsed.events):
            if isinstance(event, TweetPosted) and not self.holds(event):
                left.skipped.append(OUTSIDE)
                continue
            try:
                left.events.append(_moved(event, self.shift, received_at))
            except (ImplausibleTime, OverflowError):
                detail = "implausible date after the run's time shift"
                left.refused.append(Refused(Reason.IMPLAUSIBLE_TIME, detail, place))
        return left

    def holds(self, tweet: TweetPosted) -> bool:
        """Tell whether a tweet, its time not yet moved, is among those asked for."""
        at = tweet.posted_at
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


def _moved(event: RawEvent, shift: timedelta, received_at: datetime) -> RawEvent:
    if not shift:
        return event
    replace = msgspec.structs.replace

    def moved(at: datetime | None) -> datetime | None:
        return None if at is None else at + shift

    match event:
        case TweetPosted():
            posted_at = event.posted_at + shift
            check_plausible(posted_at, received_at)
            return replace(event, posted_at=posted_at, edited_at=moved(event.edited_at))
        case TweetDeleted():
            return replace(event, deleted_at=moved(event.deleted_at))
        case TweetWithheld():
            return replace(event, withheld_at=moved(event.withheld_at))
        case AuthorErased():
            return replace(event, erased_at=moved(event.erased_at))


@dataclass
class TimeSpan:
    """The first tweet's time in reading order, and the oldest's and newest's."""

    first: datetime | None = None
    oldest: datetime = _LAST
    newest: datetime = _FIRST

    def add(self, tweet: TweetPosted) -> None:
        """Take a tweet in."""
        at = tweet.posted_at
        self.first = self.first or at
        self.oldest = min(self.oldest, at)
        self.newest = max(self.newest, at)
