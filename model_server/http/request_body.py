"""A request's body: of a bounded size, and what it says, or a refusal."""

import re
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from model_server.http.problems import Refused

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
Decoded = TypeVar("Decoded")
_UNKNOWN_VALUE: Final = re.compile(r"(?s)Invalid enum value .*(?= - at)")
"""Of msgspec's messages the only one that quotes what was sent."""


async def read_body(request: Request, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the body; raise `Refused` where it is compressed, or above `most_bytes`.

    No more than that is ever held, whatever the headers say.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(
            415, "compressed", "The body is compressed.", "Send it as it is, without an encoding."
        )
    parts: list[bytes] = []
    size_bytes = 0
    try:
        async for part in request.stream():
            size_bytes += len(part)
            if size_bytes > most_bytes:
                raise Refused(
                    413,
                    "body-too-large",
                    "The body is too large.",
                    f"At most {most_bytes:,} bytes are read.",
                    {"Connection": "close"},
                )
            parts.append(part)
    except ClientDisconnect:
        raise Refused(400, "cut", "The body was cut.", "The client went away.") from None
    return b"".join(parts)


def decode_body(body: bytes, decoder: "msgspec.json.Decoder[Decoded]") -> Decoded:
    """Return what a body of JSON says; raise `Refused` where it is another thing."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        detail = _UNKNOWN_VALUE.sub("Unknown value", str(error))
        raise Refused(422, "invalid", "The body is not what is asked for.", detail) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "not-json", "The body is not JSON.", _place_of(error)) from None


def _place_of(error: Exception) -> str:
    """Return what kind of fault it is, and where, without the text that it may quote."""
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return f"It is not UTF-8 at byte {error.start}."
    return str(error).partition(":")[0]


def openapi_of(request: type[Any], answer: type[Any], *, status: int = 200) -> dict[str, Any]:
    """Return how OpenAPI describes a call that takes and gives JSON."""
    (asked, given), definitions = msgspec.json.schema_components(
        [request, answer], ref_template="#/components/schemas/{name}"
    )
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {str(status): {"content": {"application/json": {"schema": given}}}},
        "definitions": definitions,
    }
