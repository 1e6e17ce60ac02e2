"""Refusals that a program understands: problem+json (RFC 9457), one for each kind of fault.

A refusal never repeats what was sent.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

CONTENT_TYPE: Final = "application/problem+json"


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`type` names the kind of fault for ever, `detail` says what helps."""

    type: str
    title: str
    status: int
    detail: str


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.problem = Problem(
            type=f"urn:murmur:problem:{kind}", title=title, status=status, detail=detail
        )
        self.headers = dict(headers or {})


def problem_response(refused: Refused) -> Response:
    """Return the response that tells it."""
    return Response(
        msgspec.json.encode(refused.problem),
        status_code=refused.problem.status,
        headers=refused.headers,
        media_type=CONTENT_TYPE,
    )
