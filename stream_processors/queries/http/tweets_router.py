"""`GET /tweets`, `/tweets/{id}`, `/export`."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Annotated, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from msgspec import Struct
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from model_server.http.json_answers import json_answer, openapi_of_answer
from model_server.http.problems import Refused
from schemas.failures import NotThere
from schemas.known_runs import default_run, require_run
from schemas.transport.postgres import Connection
from stream_processors.queries.export import export_chunks
from stream_processors.queries.export_rows import Choice
from stream_processors.queries.export_text import as_document
from stream_processors.queries.http import cursors
from stream_processors.queries.http.cursors import Cursor
from stream_processors.queries.http.parameters import Run, TweetChoice
from stream_processors.queries.tweet_pages import Place, page_of, tweets_of_id

_MOST_ON_A_PAGE: Final = 200
_MOST_WORDS: Final = 5
_MOST_RUNS: Final = 100
_PIECE_BYTES: Final = 64 * 1024
_MEDIA_TYPES: Final = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
    "ids": "text/plain; charset=utf-8",
}
Lend = Callable[[], AbstractContextManager[Connection]]


class StoredTweet(Struct, frozen=True, kw_only=True):
    """A tweet with the score that counts, as `murmur export` writes it."""

    tweet_id: str
    root_id: str
    version: int
    posted_at: datetime
    edited_at: datetime | None
    author_id: str | None
    retweet_of: str | None
    language: str | None
    rules: list[str]
    hashtags: list[str]
    text: str
    human_label: str | None
    label: str
    confidence: float
    probabilities: dict[str, float]
    model_name: str
    model_version: str
    model_sha256: str
    scored_at: datetime
    language_known: bool | None
    decision_id: str | None
    override_name: str | None
    label_without: str | None


class TweetInRun(StoredTweet, frozen=True, kw_only=True):
    """A tweet, and the run that holds it."""

    run: str


class TweetsAnswer(Struct, frozen=True, kw_only=True):
    """A page of tweets; `next` is the cursor of the next page, or None at the end."""

    run: str
    tweets: list[StoredTweet]
    next: str | None


class TweetAnswer(Struct, frozen=True, kw_only=True):
    """The tweet in each run that holds it."""

    tweets: list[TweetInRun]


def tweets_router(lend: Lend, lend_for_export: Lend) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread.

    An export keeps its connection until its reader has all of it; hence one from elsewhere.
    """
    router = APIRouter(tags=["tweets"])

    @router.get(
        "/tweets",
        summary="Stored tweets with their labels, page by page",
        response_class=Response,
        openapi_extra=openapi_of_answer(TweetsAnswer),
    )
    def tweets(
        chosen: TweetChoice,
        run: Run = None,
        words: Annotated[
            str,
            Query(max_length=200, description="Words that all stand in the text, up to five."),
        ] = "",
        limit: Annotated[int, Query(ge=1, le=_MOST_ON_A_PAGE)] = 50,
        cursor: Annotated[
            str | None, Query(max_length=1_000, description="What stood in `next`.")
        ] = None,
    ) -> Response:
        after = None if cursor is None else cursors.read(cursor)
        wanted = words.split()
        if len(wanted) > _MOST_WORDS:
            raise Refused(
                422, "invalid", "A parameter is wrong.", f"words: at most {_MOST_WORDS} are taken."
            )
        if after is not None and run not in (None, after.run):
            raise Refused(
                422, "cursor", "The cursor is not valid.", "It is of another run: send none."
            )
        with lend() as connection:
            name = after.run if after else run or default_run(connection)
            require_run(connection, name)
            page = page_of(
                connection,
                name,
                chosen,
                words=wanted,
                after=Place(after.root_id, after.day) if after else None,
                most=limit,
            )
        following = None if page.end is None else cursors.written(Cursor(name, *page.end))
        found = [as_document(row) for row in page.rows]
        return json_answer({"run": name, "tweets": found, "next": following})

    @router.get(
        "/tweets/{tweet_id}",
        summary="A tweet by its id, or by that of one of its versions",
        response_class=Response,
        openapi_extra=openapi_of_answer(TweetAnswer),
    )
    def tweet(
        tweet_id: Annotated[str, Path(min_length=1, max_length=200)], run: Run = None
    ) -> Response:
        with lend() as connection:
            found = tweets_of_id(connection, tweet_id, run, most=_MOST_RUNS)
        if not found:
            raise NotThere("no run holds this tweet" if run is None else "the run lacks this tweet")
        documents = [{"run": name, **as_document(row)} for name, row in found]
        return json_answer({"tweets": documents})

    @router.get(
        "/export",
        summary="A run's tweets, as `murmur export`",
        response_class=StreamingResponse,
        openapi_extra={
            "responses": {
                "200": {
                    "description": "The file",
                    "content": {kind.partition(";")[0]: {} for kind in _MEDIA_TYPES.values()},
                }
            }
        },
    )
    async def export(
        chosen: TweetChoice,
        run: Annotated[str, Query(min_length=1, max_length=200)],
        form: Annotated[Literal["jsonl", "csv", "ids"], Query(alias="format")] = "jsonl",
        formula_guard: Annotated[
            bool,
            Query(description="In CSV, put an apostrophe before a cell that may be a formula."),
        ] = True,
    ) -> Response:
        _require_order(chosen)
        stack = ExitStack()

        def begin() -> Iterator[bytes]:
            connection = stack.enter_context(lend_for_export())
            pieces = export_chunks(connection, run, form, guard_csv=formula_guard, choice=chosen)
            return chain([next(pieces)], pieces)

        try:
            pieces = await to_thread.run_sync(begin)
        except BaseException:
            stack.close()
            raise
        return _Export(pieces, stack, _MEDIA_TYPES[form])

    return router


def _require_order(chosen: Choice) -> None:
    if chosen.start is not None and chosen.end is not None and chosen.start >= chosen.end:
        raise Refused(422, "invalid", "A parameter is wrong.", "`from` is not before `to`.")


class _Export(StreamingResponse):
    """Sends the pieces, and gives the connection back, also where the reader goes away."""

    def __init__(self, pieces: Iterator[bytes], stack: ExitStack, media_type: str) -> None:
        super().__init__(_sent(pieces), media_type=media_type)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI wants it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stack.close()


async def _sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while gathered := await to_thread.run_sync(partial(_gathered, pieces)):
        yield gathered


def _gathered(pieces: Iterator[bytes]) -> bytes:
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= _PIECE_BYTES:
            break
    return bytes(gathered)
