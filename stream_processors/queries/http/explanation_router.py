"""`GET /tweets/{id}/explanation`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from msgspec import Struct
from starlette.responses import Response

from model_server.explaining.explain import Method
from model_server.http.explanation_types import (
    MAX_EXPLAINED_CHARS,
    ExplainRequest,
    ExplainResponse,
)
from model_server.http.json_answers import json_answer, openapi_of_answer
from model_server.http.problems import Refused
from schemas.failures import NotThere
from schemas.transport.postgres import Connection
from stream_processors.queries.export_rows import ExportRow
from stream_processors.queries.tweet_pages import tweets_of_id


class TweetExplanation(Struct, frozen=True, kw_only=True):
    """Why the model that serves now gives a stored tweet its label.

    `stored_label` is the one that counts in the figures, of the model `stored_model_sha256`; a
    decision, an override or another model may have given it.
    """

    run: str
    tweet_id: str
    text: str
    stored_label: str
    stored_model_sha256: str
    explanation: ExplainResponse


def explanation_router(
    lend: Callable[[], AbstractContextManager[Connection]],
    explain: Callable[[ExplainRequest], Awaitable[ExplainResponse]],
) -> APIRouter:
    """Return the route; `explain` asks the model that serves."""
    router = APIRouter(tags=["tweets"])

    @router.get(
        "/tweets/{tweet_id}/explanation",
        summary="The weight of each word in a stored tweet's label",
        response_class=Response,
        openapi_extra=openapi_of_answer(TweetExplanation),
    )
    async def explanation(
        tweet_id: Annotated[str, Path(min_length=1, max_length=200)],
        run: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        method: Method = Method.LEAVE_ONE_OUT,
        label: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    ) -> Response:
        def find() -> list[tuple[str, ExportRow]]:
            with lend() as connection:
                return tweets_of_id(connection, tweet_id, run, most=1)

        found = await to_thread.run_sync(find)
        if not found:
            raise NotThere("no run holds this tweet" if run is None else "the run lacks this tweet")
        ((name, row),) = found
        if not row.text.strip():
            raise Refused(422, "empty-text", "The tweet is empty.", "It has no words.")
        asked = ExplainRequest(text=row.text[:MAX_EXPLAINED_CHARS], method=method, label=label)
        return json_answer(
            TweetExplanation(
                run=name,
                tweet_id=row.tweet_id,
                text=asked.text,
                stored_label=row.label,
                stored_model_sha256=row.model_sha256,
                explanation=await explain(asked),
            )
        )

    return router
