"""JSON as files in the wild hold it, to plain objects."""

import json
from typing import Any, Final

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import storable
from schemas.codec import Reason

_LONG_BYTES: Final = 256 * 1024
_MOST_VALUES: Final = 400_000
"""A page of 500 tweets has some 50,000; each may take 100 bytes, and twice where it is odd."""

_SURROGATE_ESCAPE: Final = "\\ud"


def _nothing(_constant: str) -> None:
    return None


_TYPED: Final = (b'{"$', b'{ "$', b'{"string"', b'{"long"', b'{"S"', b'{"N"')
_OF_MONGO: Final = ("numberLong", "numberInt", "numberDouble", "numberDecimal", "oid", "date")
_OF_TYPES: Final = frozenset(
    [
        *(f"${name}" for name in _OF_MONGO),
        *("string", "long", "int", "boolean", "double", "float"),
        *("S", "N", "BOOL"),
    ]
)
"""Names of types that stand around a value: in MongoDB's extended JSON, in Avro's JSON of a union,
and in DynamoDB's."""


def plain_json(raw: bytes) -> Any:
    """Return plain objects; raise `Unparsable`, and nothing else, where it is no JSON.

    Lone surrogates become U+FFFD, in names of fields too. NaN and infinities, which JSON does not
    have and data frames write nevertheless, are null. A value that stands in an object of its type
    alone, as MongoDB's `{"$numberLong": "12"}`, is that value. What would take much more memory
    than its text is refused.
    """
    plain = _decoded(raw)
    if not any(typed in raw for typed in _TYPED):
        return plain
    try:
        return without_types(plain)
    except RecursionError:
        raise Unparsable(Reason.NOT_JSON, "nested too deeply") from None


def without_types(value: Any) -> Any:
    """Return a value without the objects that name its type, and those of what it holds."""
    if isinstance(value, list):
        return [without_types(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in _OF_TYPES and (name == "$date" or not isinstance(inner, dict | list)):
            return without_types(inner)
    return {name: without_types(each) for name, each in value.items()}


def _decoded(raw: bytes) -> Any:
    if len(raw) > _LONG_BYTES and sum(map(raw.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise Unparsable(Reason.TOO_LARGE, f"more than {_MOST_VALUES:,} values on a line")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Python's own reader takes lone surrogates, which files in the wild do hold. They are replaced
    # everywhere at once, in names of fields too.
    try:
        text = raw.decode("utf-8", "surrogatepass")
        plain = json.loads(text, parse_constant=_nothing)
        if text.isascii() and _SURROGATE_ESCAPE not in text.lower():
            return plain
        return json.loads(storable(json.dumps(plain, ensure_ascii=False)), parse_constant=_nothing)
    except UnicodeDecodeError as error:
        detail = f"not valid UTF-8 at byte {error.start}"
        raise Unparsable(Reason.UNREADABLE_LINE, detail) from None
    except json.JSONDecodeError as error:
        detail = f"not valid JSON at character {error.pos}: {error.msg}"
        raise Unparsable(Reason.NOT_JSON, detail) from None
    except ValueError:
        raise Unparsable(Reason.NOT_JSON, "a number with too many digits") from None
    except RecursionError:
        raise Unparsable(Reason.NOT_JSON, "nested too deeply") from None
