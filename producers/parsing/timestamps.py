"""Times as archives write them, to UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from producers.parsing.faults import Unparsable
from producers.parsing.written_dates import ZONE_HOURS, DayOrder, written_date
from schemas.codec import Reason
from schemas.tweet_time import ImplausibleTime, check_plausible, posted_at, snowflake_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NUMBER: Final = re.compile(r"([0-9]{9,10})(\.[0-9]+)?|([0-9]{12,13})(?:\.0+)?")
_SCIENTIFIC: Final = re.compile(r"([0-9])\.([0-9]{1,20})E\+?(9|1[0-8])", re.IGNORECASE)
_FINER: Final = re.compile(r"([0-9]{12,13})[0-9]{3}(?:[0-9]{3})?")
_API_1_1: Final = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) "
    r"(?:([+-])([0-9]{2})([0-9]{2})|([A-Z]{3,4})) ([0-9]{4})"
)
_OTHER_TIME: Final = timedelta(minutes=1)
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"


def time_of_post(
    root_id: str, written: datetime | None, run_started_at: datetime, received_at: datetime
) -> datetime:
    """Return when a tweet was posted (`schemas.tweet_time.posted_at`); may raise `Unparsable`."""
    try:
        return posted_at(root_id, written, run_started_at, received_at)
    except ImplausibleTime as error:
        raise Unparsable(Reason.IMPLAUSIBLE_TIME, str(error)) from None


def is_overruled(written: datetime | None, own_id: str) -> bool:
    """Tell whether a tweet's id holds another time than it says; the id's is used.

    A minute is none: tables round times, and ids are made before what they name is stored.
    """
    if written is None:
        return False
    inside = snowflake_time(own_id)
    return inside is not None and abs(inside - written) >= _OTHER_TIME


def time_of_edit(own_id: str, written: datetime | None, received_at: datetime) -> datetime | None:
    """Return when a later version was written, from what it says or its id; may be unknown.

    Raises `Unparsable` for a time before Twitter began or more than a day after `received_at`.
    """
    when = written or snowflake_time(own_id)
    try:
        if when is not None:
            check_plausible(when, received_at)
    except ImplausibleTime as error:
        raise Unparsable(Reason.IMPLAUSIBLE_TIME, str(error)) from None
    return when


def utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without an offset is taken to be in UTC already."""
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unparsable(Reason.IMPLAUSIBLE_TIME, "a time outside the calendar") from None


def parse_moment(value: object, field: str, order: DayOrder | None = None) -> datetime:
    """Return the UTC moment of an archive's date; raise `Unparsable` where it is none.

    Known are ISO 8601, the dates of X's API 1.1 (`Wed Aug 27 13:08:45 +0000 2008`, in data sets
    also with the name of a zone in the place of the offset), seconds (9 or 10 digits) or
    milliseconds (12 or 13 digits; micro- and nanoseconds with 3 or 6 more) since 1970, as text or
    number, and what programs and people write (`producers.parsing.written_dates`): RFC 2822, days
    before and behind months by name or number. Which of two numbers is the day is said by `order`;
    without it a date that can be read two ways is none (`AmbiguousDate`). What says nothing of its
    time zone is UTC.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1e19 else ""
    if not isinstance(value, str):
        raise Unparsable(Reason.INVALID_EVENT, f"{field} is not a valid date")
    text = value.strip()
    try:
        if number := _EPOCH_NUMBER.fullmatch(text):
            return _EPOCH + timedelta(milliseconds=_milliseconds(number))
        if finer := _FINER.fullmatch(text):
            return _EPOCH + timedelta(milliseconds=int(finer[1]))
        if number := _EPOCH_NUMBER.fullmatch(_written_out(text)):
            return _EPOCH + timedelta(milliseconds=_milliseconds(number))
        if parts := _API_1_1.fullmatch(text):
            return utc(_api_1_1(parts))
        return utc(datetime.fromisoformat(text))
    except OverflowError:
        raise Unparsable(Reason.INVALID_EVENT, f"{field} is not a valid date") from None
    except (ValueError, KeyError):  # a zone by a name that is not known, too
        return utc(written_date(text, field, order))


def _written_out(text: str) -> str:
    """Return a number in scientific notation without its exponent, as BigQuery writes seconds."""
    found = _SCIENTIFIC.fullmatch(text)
    if found is None:
        return ""
    digits, exponent = found[1] + found[2], int(found[3])
    digits = digits.ljust(exponent + 1, "0")
    whole, fraction = digits[: exponent + 1], digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def _milliseconds(number: re.Match[str]) -> int:
    seconds, fraction, milliseconds = number.groups()
    if milliseconds is not None:
        return int(milliseconds)
    return int(seconds) * 1000 + int(((fraction or ".")[1:4]).ljust(3, "0"))


def _api_1_1(parts: re.Match[str]) -> datetime:
    month, day, hour, minute, second, sign, *offset, zone_name, year = parts.groups()
    if month not in _MONTHS or (position := _MONTHS.index(month)) % 3:
        raise ValueError(month)
    if zone_name is not None:
        distance = timedelta(hours=ZONE_HOURS[zone_name])
    else:
        distance = timedelta(hours=int(offset[0]), minutes=int(offset[1]))
    zone = timezone(-distance if sign == "-" else distance)
    return datetime(
        int(year), position // 3 + 1, int(day), int(hour), int(minute), int(second), tzinfo=zone
    )
