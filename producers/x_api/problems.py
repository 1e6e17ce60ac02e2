"""What X says where it does not give what was asked for: its problem documents, in words.

A problem stands in the body of a refusal, as a line of a stream (`{"title":
"ConnectionException"}`), or in `errors` beside or instead of an answer.
Source: RFC 7807, as X's specification has it, and the shapes of its older APIs.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from schemas.escape_for_terminal import shown

MAX_SAID_CHARS: Final = 300
_MAX_ERRORS: Final = 3

_PROBLEM_FIELDS: Final = frozenset(
    [
        "account_id",
        "client_id",
        "code",
        "connection_issue",
        "detail",
        "details",
        "disconnect_type",
        "error",
        "errors",
        "field",
        "message",
        "parameter",
        "parameters",
        "period",
        "product_name",
        "reason",
        "registration_url",
        "required_enrollment",
        "resource_id",
        "resource_type",
        "scope",
        "section",
        "status",
        "title",
        "type",
        "value",
    ]
)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z-]{2,60}")


def problem_in(raw: bytes) -> Mapping[str, Any] | None:
    """Return the problem that a line of a stream is, None where it is anything else."""
    document = json_object(raw)
    return document if is_problem(document) else None


def json_object(raw: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object that a body is, None where it is anything else."""
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, Mapping) else None


def is_problem(document: object) -> bool:
    """Tell whether a document is a problem, and nothing else.

    It has errors or a title, and no field that problems do not have. A title alone is a single
    word, as X's are: an archive's record may well consist of a title.
    """
    if not isinstance(document, Mapping) or not _PROBLEM_FIELDS.issuperset(document):
        return False
    title, errors = document.get("title"), document.get("errors")
    if isinstance(errors, list) and errors:
        return True
    return isinstance(title, str) and (len(document) > 1 or _WORD.fullmatch(title) is not None)


def said_by(problem: Mapping[str, Any]) -> str:
    """Return what a problem says, on one line that any terminal may show, of bounded length.

    Its own title and detail first, then those of its `errors`; empty where it says nothing.
    """
    said: dict[str, None] = {}
    for each in [problem, *_listed(problem.get("errors"))]:
        if isinstance(each, str):
            said[each] = None
        elif isinstance(each, Mapping):
            details = each.get("details")
            texts = [
                *(each.get(name) for name in ("title", "detail", "message", "error")),
                *(details[:_MAX_ERRORS] if isinstance(details, list) else ()),
            ]
            kept = dict.fromkeys(text for text in texts if isinstance(text, str) and text)
            # X writes the title again as the detail where it has nothing to add.
            if kept:
                said[": ".join(kept)] = None
    return shown("; ".join(said), MAX_SAID_CHARS)


def is_too_many_connections(problem: Mapping[str, Any]) -> bool:
    """Tell whether X refuses because the account's connections are taken."""
    return any(
        isinstance(each, Mapping)
        and (
            each.get("title") == "ConnectionException"
            or each.get("connection_issue") == "TooManyConnections"
        )
        for each in [problem, *_listed(problem.get("errors"))]
    )


def is_unknown_parameter(problem: Mapping[str, Any], parameters: Iterable[str]) -> bool:
    """Tell whether X refuses one of these parameters, or a value of one, as unknown to it."""
    names = tuple(parameters)
    for each in [problem, *_listed(problem.get("errors"))]:
        if not isinstance(each, Mapping):
            continue
        named = each.get("parameters")
        if isinstance(named, Mapping) and any(name in named for name in names):
            return True
        texts = [each.get(name) for name in ("parameter", "message", "detail")]
        if any(name in text for text in texts if isinstance(text, str) for name in names):
            return True
    return False


def _listed(errors: object) -> list[Any]:
    return errors[:_MAX_ERRORS] if isinstance(errors, list) else []
