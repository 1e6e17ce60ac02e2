"""Names under which archives keep what Murmur knows by another: of columns and of JSON fields.

A name that is only spelled otherwise, as `createdAt` or `Tweet ID`, is known. Others, as
`sentiment`, a person has to say: a wrong guess would change what is counted.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from producers.archives.spelling import squashed
from producers.parsing.faults import Unparsable
from producers.parsing.field_values import is_nothing
from producers.parsing.timestamps import parse_moment
from producers.parsing.written_dates import AmbiguousDate

IDS: Final = ("tweet_id", "status_id", "post_id", "id_str")
"""Names that mean an id wherever they stand."""

TEXTS: Final = ("full_text", "tweet_text", "tweet_full_text", "post_text", "status_text")

TIMES: Final = (
    "tweet_created_at",
    "tweet_created",
    "created",
    "created_at_utc",
    "created_utc",
    "posted_at",
    "published_at",
    "date_posted",
    "post_date",
    "tweet_date",
    "datetime",
    "date_time",
    "timestamp",
    "date",
    "time",
    "erstellt_am",
    "gepostet_am",
    "veröffentlicht_am",
    "veroeffentlicht_am",
    "zeitstempel",
    "zeitpunkt",
    "datum_uhrzeit",
    "datum",
)
"""Names that may mean the time of a tweet, the surest first: taken where the first values of one
are dates, and nothing is called `created_at`."""

_SAMPLE: Final = 20
_TIME_LIKE: Final = re.compile(
    r"(?:^|[\W_a-z])(?:date|time|datetime|timestamp|created|posted|published|[Dd]atum|[Zz]eit)"
    r"(?:$|[\W_A-Z])",
)
_TEXT_LIKE: Final = re.compile(r"text|tweet|content|message|body", re.IGNORECASE)


def spelled_otherwise(names: Iterable[str], known: str) -> str | None:
    """Return the name that is `known` spelled otherwise, None where there is none."""
    return next((name for name in names if squashed(name) == squashed(known)), None)


def first_of(names: Sequence[str], others: Iterable[str]) -> str | None:
    """Return the first of `others` that is there, in any spelling."""
    for other in others:
        found = spelled_otherwise(names, other)
        if found is not None:
            return found
    return None


def time_like(names: Sequence[str], values_of: Callable[[str], Sequence[object]]) -> str | None:
    """Return the name of what holds the tweets' times: its first values are dates, all of them."""
    for other in TIMES:
        found = spelled_otherwise(names, other)
        if found is not None and _are_dates(values_of(found)[:_SAMPLE]):
            return found
    return None


def time_named(names: Sequence[str]) -> str | None:
    """Return the name that sounds most like a time, whatever it holds; None where none does."""
    exact = first_of(names, TIMES)
    sounding = (name for name in names if _TIME_LIKE.search(name))
    return exact or next(sounding, None)


def _are_dates(values: Sequence[object]) -> bool:
    given = [value for value in values if not is_nothing(value)]
    return bool(given) and all(map(_is_date, given))


def _is_date(value: object) -> bool:
    """Tell whether a value has a day: a time of day alone is no moment."""
    try:
        parse_moment(value, "created_at")
    except AmbiguousDate:
        return True
    except Unparsable:
        return False
    return True


def text_like(names: Sequence[str], rows: Sequence[Mapping[str, object]] = ()) -> str | None:
    """Return the name that most likely holds the text: of those that sound so, the longest values.

    One that is empty in all of the rows is none.
    """
    sounding = [
        name for name in names if _TEXT_LIKE.search(name) and not squashed(name).endswith("id")
    ]
    if not rows:
        return sounding[0] if sounding else None
    lengths = {name: _longest(name, rows) for name in sounding}
    if not any(lengths.values()):
        # Of those that sound like nothing, the only ones that hold sentences.
        lengths = {name: _longest(name, rows, sentences=True) for name in names}
    return max(lengths, key=lambda name: lengths[name]) if any(lengths.values()) else None


def _longest(name: str, rows: Sequence[Mapping[str, object]], *, sentences: bool = False) -> int:
    values = [value for row in rows if isinstance(value := row.get(name), str)]
    words = [value for value in values if not sentences or value.count(" ") > 1]
    return sum(len(value.strip()) for value in words)
