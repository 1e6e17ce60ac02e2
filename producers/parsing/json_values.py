"""JSON as files in the wild hold it, to plain objects."""

import json
from typing import Any

import msgspec

from producers.parsing.faults import Unparsable
from producers.parsing.field_values import storable
from schemas.codec import Reason


def plain_json(raw: bytes) -> Any:
    """Return plain objects; raise `Unparsable`, and nothing else, where it is no JSON.

    Lone surrogates become U+FFFD, in names of fields too.
    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Python's own reader takes lone surrogates, which files in the wild do hold. They are replaced
    # everywhere at once, in names of fields too.
    try:
        plain = json.loads(raw.decode("utf-8", "surrogatepass"))
        return json.loads(storable(json.dumps(plain, ensure_ascii=False)))
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
