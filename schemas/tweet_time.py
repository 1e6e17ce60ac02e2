"""When a tweet was posted: the one function that gives a tweet its day."""

from datetime import UTC, datetime, timedelta

TWITTER_EPOCH = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1_288_834_974_657)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_SNOWFLAKE = 30_000_000_000
"""Ids were a plain sequence, below 30 thousand million, until they held their time (Nov 2010)."""

_LAST_ID = 2**63 - 1
FIRST_TWEET = datetime(2006, 3, 21, tzinfo=UTC)
LAST_MOMENT = TWITTER_EPOCH + (_LAST_ID >> 22) * _MILLISECOND
"""In July 2080 X's ids come to their end. A later time is no clock's."""

_LARGEST_CLOCK_ERROR = timedelta(days=1)


class ImplausibleTime(ValueError):
    """A tweet says that it was posted before Twitter began, or tomorrow or later."""


def snowflake_time(tweet_id: str) -> datetime | None:
    """Return the time inside an id, or None for ids that hold none.

    An id made after November 2010 holds `(id >> 22) + 1288834974657` milliseconds since 1970
    (Twitter's Snowflake).
    """
    if not (tweet_id.isascii() and tweet_id.isdigit()):
        return None
    number = int(tweet_id)
    if not _FIRST_SNOWFLAKE <= number <= _LAST_ID:
        return None
    return TWITTER_EPOCH + (number >> 22) * _MILLISECOND


def check_possible(moment: datetime) -> None:
    """Raise `ImplausibleTime` for a moment before Twitter began or after its ids end."""
    if not is_possible(moment):
        raise ImplausibleTime(f"{moment.isoformat()} cannot be")


def is_possible(moment: datetime) -> bool:
    """Tell whether a moment lies between the beginning of Twitter and the end of its ids."""
    return FIRST_TWEET <= moment <= LAST_MOMENT


def check_plausible(when: datetime, received_at: datetime) -> None:
    """Raise `ImplausibleTime` for a time before Twitter began or a day after `received_at`."""
    if when < FIRST_TWEET or when - received_at > _LARGEST_CLOCK_ERROR:
        raise ImplausibleTime(f"implausible date: {when.isoformat()}")


def posted_at(
    root_id: str, created_at: datetime | None, run_started_at: datetime, received_at: datetime
) -> datetime:
    """Return when a tweet was first posted; its UTC date is the tweet's day, for ever.

    From the root id where it holds a time, else `created_at`, else the start of its run. Raises
    `ImplausibleTime` for a time before Twitter began or more than a day after `received_at`.
    """
    inside = snowflake_time(root_id)
    if inside is not None:  # whole milliseconds of UTC already
        check_plausible(inside, received_at)
        return inside
    when = (created_at or run_started_at).astimezone(UTC)
    check_plausible(when, received_at)
    return when.replace(microsecond=when.microsecond // 1000 * 1000)
