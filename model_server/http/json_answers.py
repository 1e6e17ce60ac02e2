"""Answers in JSON, and how OpenAPI describes them."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

_encode: Final = msgspec.json.Encoder().encode


def json_answer(document: Any, *, status: int = 200) -> Response:
    """Return a document as its command's `--json` prints it; `msgspec` must know its types."""
    return Response(_encode(document), status_code=status, media_type="application/json")


def openapi_of_answer(answer: Any) -> dict[str, Any]:
    """Return how OpenAPI describes a call that gives JSON of this type."""
    (given,), definitions = msgspec.json.schema_components(
        [answer], ref_template="#/components/schemas/{name}"
    )
    return {
        "responses": {"200": {"content": {"application/json": {"schema": given}}}},
        "definitions": definitions,
    }
