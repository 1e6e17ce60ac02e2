"""`GET /dead-letters`: what could not be processed, without what it holds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from model_server.http.json_answers import json_answer, openapi_of_answer
from schemas.codec import Reason
from schemas.time_option import parse_moment
from schemas.transport.postgres import Connection
from stream_processors.dead_letters.letters import (
    Letter,
    Selection,
    Status,
    count_letters,
    newest_letters,
    require_run_of,
)

_MOST: Final = 200


class DeadLetter(Struct, frozen=True, kw_only=True):
    """What is known of a dead letter but its key, its value and its headers.

    Those may hold the text of a tweet: `murmur dead-letters show` has them.
    """

    dead_letter_id: int
    run: str | None
    stage: str
    reason: str
    detail: str
    source: str
    source_partition: int
    source_offset: int
    source_timestamp_ms: int
    status: Status
    redrives: int
    note: str
    status_at: datetime
    first_seen_at: datetime
    value_size_bytes: int
    value_sha256: str


class DeadLettersAnswer(Struct, frozen=True, kw_only=True):
    """How many there are of the selection, and the newest of them."""

    total: int
    dead_letters: list[DeadLetter]


def dead_letters_router(lend: Callable[[], AbstractContextManager[Connection]]) -> APIRouter:
    """Return the route. It waits for PostgreSQL, so it runs in a thread."""
    router = APIRouter(tags=["figures"])

    @router.get(
        "/dead-letters",
        summary="What could not be processed, the newest first",
        response_class=Response,
        openapi_extra=openapi_of_answer(DeadLettersAnswer),
    )
    def dead_letters(
        run: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        reason: Reason | None = None,
        stage: Annotated[str | None, Query(max_length=50)] = None,
        status: Status | None = None,
        since: Annotated[str | None, Query(max_length=50)] = None,
        until: Annotated[str | None, Query(max_length=50)] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
    ) -> Response:
        now = datetime.now(UTC)
        selection = Selection(
            run=run,
            reason=reason.value if reason else None,
            stage=stage,
            status=status,
            since=parse_moment(since, now) if since is not None else None,
            until=parse_moment(until, now) if until is not None else None,
        )
        with lend() as connection:
            require_run_of(connection, selection)
            with connection, connection.cursor() as cursor:
                total = count_letters(cursor, selection)
                letters = newest_letters(cursor, selection, limit)
        return json_answer(
            DeadLettersAnswer(total=total, dead_letters=[_without_body(each) for each in letters])
        )

    return router


def _without_body(letter: Letter) -> DeadLetter:
    fields = msgspec.structs.asdict(letter)
    return DeadLetter(**{name: fields[name] for name in DeadLetter.__struct_fields__})
