"""`GET /events`: server-sent events of what changes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from deploy.web.events.change_feed import MOST_OF_A_CALLER, ChangeFeed, Listener
from deploy.web.events.changes import Change, ChangeKind, Changes
from model_server.http.caller import caller_of

_HEARTBEAT_S: Final = 15.0
_RETRY_MS: Final = 2_000
_OLDEST: Final = timedelta(hours=1)
_MEDIA_TYPE: Final = "text/event-stream"
_OPENAPI: Final = {"responses": {"200": {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}}}}
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def events_router(
    feed: ChangeFeed,
    *,
    path: str = "/events",
    most_of_a_caller: int = MOST_OF_A_CALLER,
    in_schema: bool = True,
    heartbeat_s: float = _HEARTBEAT_S,
) -> APIRouter:
    """Return the route.

    The first event of a stream is `ready`: whatever changes from then on is told, at least once.
    A client that comes back with `Last-Event-ID` hears what it missed, or `reset` where that is
    too long ago: then it reads anew what it shows. Each id is a moment of the database's clock, so
    that any process goes on where another one ended.
    """
    router = APIRouter(tags=["events"])

    @router.get(
        path,
        include_in_schema=in_schema,
        summary="What changes, as server-sent events",
        response_class=Response,
        openapi_extra=_OPENAPI,
    )
    async def events(
        request: Request,
        run: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        kind: Annotated[list[ChangeKind] | None, Query()] = None,
        last_event_id: Annotated[str | None, Header(max_length=40)] = None,
    ) -> Response:
        listener = await feed.listen(
            caller_of(request), run, kind or [], most_of_a_caller=most_of_a_caller
        )
        try:
            since = moment_of(last_event_id)
            now = await feed.read(None)
            resumes = since is not None and now.until - _OLDEST <= since
            missed = await feed.read(since) if resumes else now
        except BaseException:
            feed.leave(listener)
            raise
        is_lost = last_event_id is not None and not resumes
        return StreamingResponse(
            _told(feed, listener, missed, is_lost=is_lost, heartbeat_s=heartbeat_s),
            headers=_HEADERS,
            media_type=_MEDIA_TYPE,
        )

    return router


async def _told(
    feed: ChangeFeed, listener: Listener, missed: Changes, *, is_lost: bool, heartbeat_s: float
) -> AsyncIterator[bytes]:
    try:
        first = "reset" if is_lost else "ready"
        yield _event(first, b"{}", missed.until, retry=_RETRY_MS)
        for change in listener.wanted(missed.found):
            yield _change_event(change, missed.until)
        while not listener.ended:
            changes = await listener.next(heartbeat_s)
            if listener.lost and changes is not None:
                listener.lost = False
                yield _event("reset", b"{}", changes.until)
            elif changes is not None:
                for change in listener.wanted(changes.found):
                    yield _change_event(change, changes.until)
            elif not listener.ended:
                yield KEEPALIVE_COMMENT
    finally:
        feed.leave(listener)


def _change_event(change: Change, until: datetime) -> bytes:
    return _event(change.kind, msgspec.json.encode(change.data), until)


def _event(name: str, data: bytes, until: datetime, retry: int | None = None) -> bytes:
    return format_sse_event(data_str=data.decode(), event=name, id=id_of(until), retry=retry)


def id_of(until: datetime) -> str:
    """Return a moment as an event's id: microseconds since 1970."""
    since_1970 = until - datetime.fromtimestamp(0, UTC)
    return str(since_1970 // timedelta(microseconds=1))


def moment_of(last_event_id: str | None) -> datetime | None:
    """Return the moment of an event's id; None where it is not one of ours."""
    if last_event_id is None or not (last_event_id.isascii() and last_event_id.isdigit()):
        return None
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(last_event_id))
    except OverflowError:
        return None
