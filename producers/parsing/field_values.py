"""Values from outside, checked once: texts, ids, labels, languages."""

import html
import re
from typing import Any, Final

from producers.parsing.faults import Unparsable
from schemas.codec import Reason
from schemas.events import MAX_TEXT_CHARS

_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_USUAL_ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_NOT_STORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_TWEET_ID: Final = re.compile(r"[0-9a-f]{1,64}")
_USER_ID: Final = re.compile(r"[0-9A-Za-z_]{1,64}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})?")

# Not languages: undetermined, no words, and X's marks for mentions, cashtags, hashtags, media,
# short texts and ASCII art.
_NO_LANGUAGE: Final = frozenset(["und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"])
_USUAL_LANGUAGES: Final = frozenset(["en", "ja", "es", "pt", "ar", "in", "th", "ko", "tr", "fr"])
_MAX_LABEL_CHARS: Final = 100
_MAX_WHOLE_FLOAT: Final = 2**53
_NOTHINGS: Final = frozenset(["", "nan", "nat", "none", "null", "<na>", "na"])
"""What data frames, R and others write where there is no value, in lower case."""

_MARKED_ID: Final = re.compile(r"(?:x|'|=\"|\")([0-9]{5,30})\"?|([0-9]{1,15})\.0")


def storable(text: str) -> str:
    """Return the text with U+FFFD for what UTF-8 or PostgreSQL cannot hold.

    Those are lone surrogates and the character NUL.
    """
    # Encoding finds lone surrogates ten times as fast as a pattern does.
    try:
        if "\x00" not in text and (text.isascii() or text.encode()):
            return text
    except UnicodeEncodeError:
        pass
    return _NOT_STORABLE.sub("\ufffd", text)


def tweet_text(value: str | None) -> str:
    """Return a tweet's text, HTML entities unescaped once.

    Only entities that end in a semicolon, as X writes them: `?a=1&copy=2` is no copyright sign.
    """
    if value and "&" in value:
        value = _ENTITY.sub(_unescaped, value)
    if not value or value.isspace():
        raise Unparsable(Reason.MISSING_FIELD, "the text is missing")
    if len(value) > MAX_TEXT_CHARS:
        detail = f"the text has {len(value)} characters, at most {MAX_TEXT_CHARS}"
        raise Unparsable(Reason.TOO_LARGE, detail)
    return storable(value)


def tweet_id(value: str | int | None, field: str) -> str:
    """Return an id as events have it; `field` is what the error calls it."""
    text = value if type(value) is str else _digits(value, field)
    if _TWEET_ID.fullmatch(text) is None:
        raise Unparsable(
            Reason.INVALID_EVENT,
            f"{field} is not a valid tweet id (1 to 64 characters of 0-9 and a-f)",
        )
    return text


def user_id(value: str | int | None, field: str) -> str | None:
    """Return an account's id, None where there is none."""
    if value is None or value == "":
        return None
    text = value if type(value) is str else _digits(value, field)
    if len(text) <= 64 and text.isalnum() and text.isascii():
        return text
    if _USER_ID.fullmatch(text) is None:
        raise Unparsable(Reason.INVALID_EVENT, f"{field} is not a valid user id")
    return text


def human_label(value: str | None) -> str | None:
    """Return a person's label without the space around it, None where there is none."""
    label = storable(value or "").strip()
    if len(label) > _MAX_LABEL_CHARS:
        detail = f"the label has {len(label)} characters, at most {_MAX_LABEL_CHARS}"
        raise Unparsable(Reason.INVALID_EVENT, detail)
    return label or None


def is_nothing(value: object) -> bool:
    """Tell whether a value says that there is none, as NaN does; a text and a label never do."""
    if isinstance(value, str):
        return value.strip().lower() in _NOTHINGS
    return value is None or value != value  # noqa: PLR0124 (NaN alone is not what it is)


def whole_number(value: Any) -> Any:
    """Return a fraction that is a whole number as one, where no digit was lost; all else as it is.

    Data frames make fractions of a column of numbers with gaps.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_WHOLE_FLOAT:
        return int(value)
    return value


def unmarked_id(text: str) -> str:
    """Return an id without what keeps spreadsheets and R from rounding it: `x12345` is 12345."""
    found = _MARKED_ID.fullmatch(text)
    return text if found is None else found[1] or found[2]


def language(value: str | None) -> str | None:
    """Return the tweet's language, None where it says that it has none or what is no code."""
    if value in _USUAL_LANGUAGES:
        return value
    if not value or value in _NO_LANGUAGE or _LANGUAGE.fullmatch(value) is None:
        return None
    return value


def _unescaped(entity: re.Match[str]) -> str:
    return _USUAL_ENTITIES.get(entity[0]) or html.unescape(entity[0])


def _digits(value: object, field: str) -> str:
    # Numbers of more than 64 digits are no ids; Python refuses to print those beyond 4,300.
    if type(value) is not int or not 0 <= value < 10**64:
        raise Unparsable(Reason.INVALID_EVENT, f"{field} is not a valid id")
    return str(value)
