"""Dates as programs and people write them, day first or month first, months by number or name."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal

from producers.parsing.faults import Unparsable
from schemas.codec import Reason

DayOrder = Literal["dmy", "mdy"]
"""Whether the day stands before the month, where both are numbers and the year comes last."""


class AmbiguousDate(Unparsable):
    """A date that can be read two ways, as 03/04/2021, where nothing says which is meant."""


_CLOCK: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s?Uhr)?"
    r"(?:\s?(?P<zone>(?:UTC|GMT)?\s?[+-][0-9]{2}:?[0-9]{2}|Z|[A-Z]{2,4})"
    r"(?:\s[A-Z]{3,4}|\s\([^()]{1,40}\))?)?"
)
_WEEKDAY: Final = r"(?:[^\W\d]{2,10}\.?,?\s+)?"
_DAYS: Final = (
    r"(?P<y>[0-9]{4})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})",
    r"(?P<one>[0-9]{1,2})(?P<s>[-/.])(?P<two>[0-9]{1,2})(?P=s)(?P<y>[0-9]{4}|[0-9]{2})",
    r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?[.\s-]{0,2}(?P<name>[^\W\d]{3,9})\.?,?[\s-]?(?P<y>[0-9]{4})",
    r"(?P<name>[^\W\d]{3,9})\.?\s(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?,?\s(?P<y>[0-9]{4})",
)
_BETWEEN: Final = r"(?:T|,?\s+(?:at\s|um\s|[-·]\s)?)"
_C_TIME: Final = (
    rf"{_WEEKDAY}(?P<name>[^\W\d]{{3}})\s+(?P<d>[0-9]{{1,2}})\s+{_CLOCK}\s(?P<y>[0-9]{{4}})"
)
_WRITTEN: Final = tuple(
    re.compile(pattern)
    for pattern in (
        *(rf"{_WEEKDAY}{day}(?:{_BETWEEN}{_CLOCK})?" for day in _DAYS),
        *(rf"{_CLOCK}\s[-·]\s{day}" for day in _DAYS),
        _C_TIME,
    )
)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jän",
            "feb february februar",
            "mar march mär märz mrz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        1,
    )
    for name in names.split()
}
ZONE_HOURS: Final[dict[str, int]] = {
    "Z": 0,
    "UT": 0,
    "UTC": 0,
    "GMT": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MEZ": 1,
    "MESZ": 2,
    "MSK": 3,
    "JST": 9,
    "KST": 9,
}
"""Zones by name: those of RFC 2822, and others that mean one zone. IST and BST mean several."""

_LONGEST_CHARS: Final = 80


def written_date(text: str, field: str, order: DayOrder | None) -> datetime:
    """Return the moment that is written; without a zone it has none.

    With dots the day stands first, as in German; elsewhere `order` decides, and without it the
    numbers, where only one of them can be a month. Raises `AmbiguousDate` where both can, and
    `Unparsable` where it is not a date.
    """
    for pattern in _WRITTEN if len(text) <= _LONGEST_CHARS else ():
        found = pattern.fullmatch(text)
        if found is not None:
            try:
                return _moment(found, field, order)
            except (KeyError, ValueError, OverflowError):  # a zone of no known name, too
                break
    raise Unparsable(Reason.INVALID_EVENT, f"{field} is not a valid date")


def day_order_of(text: str) -> DayOrder | Literal["either"] | None:
    """Return which order a date of numbers shows, None where no order is needed to read it."""
    text = text.strip()
    for pattern in _WRITTEN if len(text) <= _LONGEST_CHARS else ():
        found = pattern.fullmatch(text)
        if found is not None and "one" in found.groupdict():
            one, two = int(found["one"]), int(found["two"])
            return None if found["s"] == "." or one == two else _order_by_numbers(one, two)
    return None


def _order_by_numbers(one: int, two: int) -> DayOrder | Literal["either"]:
    if one <= 12 and two <= 12:
        return "either"
    return "dmy" if one > 12 else "mdy"


def _moment(found: re.Match[str], field: str, order: DayOrder | None) -> datetime:
    parts = found.groupdict()
    year = int(parts["y"])
    if "one" in parts:
        if len(parts["y"]) == 2:
            year += 2000
        day, month = _day_and_month(int(parts["one"]), int(parts["two"]), parts["s"], field, order)
    else:
        day = int(parts["d"])
        name = parts.get("name")
        month = int(parts["m"]) if name is None else _MONTHS.get(name.lower(), 0)
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if parts["half"] in "Pp" else 0)
    return datetime(
        year,
        month,
        day,
        hour,
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int((parts["part"] or "")[:6].ljust(6, "0")),
        tzinfo=_zone(parts["zone"]),
    )


def _day_and_month(
    one: int, two: int, between: str, field: str, order: DayOrder | None
) -> tuple[int, int]:
    if between == ".":
        return one, two
    shown = order or ("dmy" if one == two else _order_by_numbers(one, two))
    if shown == "either":
        raise AmbiguousDate(
            Reason.INVALID_EVENT, f"{field} can be read in two ways: choose --dates"
        )
    return (one, two) if shown == "dmy" else (two, one)


def _zone(written: str | None) -> timezone | None:
    if written is None:
        return None
    if written.isalpha():
        hours = ZONE_HOURS[written]
        return timezone(timedelta(hours=hours)) if hours else UTC
    digits = written.removeprefix("UTC").removeprefix("GMT").strip().replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return timezone(-offset if digits[0] == "-" else offset)
