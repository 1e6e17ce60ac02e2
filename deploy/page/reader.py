"""Numbers and times as whoever reads the page writes them."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from markupsafe import Markup, escape

_NARROW: Final = "\u202f"
_FIXED: Final = "\u00a0"


class _Marks(NamedTuple):
    group: str
    decimal: str
    percent: str


# Of CLDR 46; languages that are not named write as in English.
_MARKS: Final = {
    "en": _Marks(",", ".", "%"),
    **dict.fromkeys(
        ("de", "nl", "id", "tr", "el", "it", "es", "da", "ca"), _Marks(".", ",", f"{_FIXED}%")
    ),
    **dict.fromkeys(("fr",), _Marks(_NARROW, ",", f"{_NARROW}%")),
    **dict.fromkeys(
        ("sv", "nb", "no", "nn", "fi", "pl", "cs", "sk", "uk", "ru", "hu", "bg"),
        _Marks(_FIXED, ",", f"{_FIXED}%"),
    ),
    "pt": _Marks(".", ",", "%"),
    "de-ch": _Marks("’", ".", "%"),
}
_ENGLISH: Final = _MARKS["en"]
_MOST_CHARS: Final = 200


class Reader:
    """Writes numbers as a reader does, by the header `Accept-Language`."""

    def __init__(self, accept_language: str = "") -> None:
        self._marks = _marks_of(accept_language)

    def number(self, value: float, places: int = 0) -> str:
        """Return a number with its thousands grouped."""
        plain = f"{value:,.{places}f}"
        swapped = plain.replace(",", "\0").replace(".", self._marks.decimal)
        return swapped.replace("\0", self._marks.group)

    def percent(self, share: float, places: int = 0) -> str:
        """Return a share between 0 and 1 in per cent; what is not nothing is not shown as 0."""
        if 0 < share < 0.5 * 10 ** -(places + 2):
            return f"<{_FIXED}{self.number(10**-places, places)}{self._marks.percent}"
        return f"{self.number(100 * share, places)}{self._marks.percent}"

    def points(self, difference: float, places: int = 1) -> str:
        """Return a difference of shares in percentage points, with its sign."""
        sign = "+" if difference > 0 else "−" if difference < 0 else "±"
        return f"{sign}{self.number(100 * abs(difference), places)}"


def time_element(moment: datetime, *, form: str = "minute") -> Markup:
    """Return a moment as an element that says it in UTC; a script shows it in the reader's zone.

    `form` is `minute`, `second`, `day` or `short` (without the year, for axes).
    """
    utc = moment.astimezone(UTC)
    shown = {
        "minute": f"{utc:%Y-%m-%d %H:%M} UTC",
        "second": f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        "day": f"{utc:%Y-%m-%d}",
        "short": f"{utc:%b} {utc.day}, {utc:%H:%M}",
        "clock": f"{utc:%H:%M}",
    }[form]
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%SZ}", form, escape(shown)
    )


def _marks_of(accept_language: str) -> _Marks:
    for part in accept_language[:_MOST_CHARS].lower().split(","):
        language = part.partition(";")[0].strip()
        found = _MARKS.get(language) or _MARKS.get(language.partition("-")[0])
        if found is not None:
            return found
    return _ENGLISH
