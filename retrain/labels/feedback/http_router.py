"""`POST /feedback`, `DELETE /feedback/texts/{sha256}`, `GET /labels/queue`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from model_server.http.caller import Caller, caller_of
from model_server.http.json_answers import json_answer, openapi_of_answer
from model_server.http.problems import Refused
from model_server.http.request_body import decode_body, openapi_of, read_body
from model_server.prediction_log.log_store import logged_text
from retrain.labels.feedback.draw_tickets import draw_tickets, feedback_secret
from retrain.labels.feedback.feedback_types import (
    FeedbackRequest,
    QueueAnswer,
    feedback_decoder,
)
from retrain.labels.feedback.give_feedback import (
    GivenFeedback,
    Labeller,
    answer_ticket,
    correct_text,
    correct_tweet,
)
from retrain.labels.feedback.text_labels import delete_text_label, stored_text_label
from retrain.labels.feedback.tickets import WrongTicket, checked
from retrain.labels.queue.candidates import Choice
from schemas.known_runs import require_run
from schemas.storable_text import storable_text
from schemas.transport.postgres import Connection

_OVERRULES: Final = "operate"
_MOST_DRAWN: Final = 200


def feedback_router(
    lend: Callable[[], AbstractContextManager[Connection]],
    served_labels: Callable[[], Sequence[str]],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """Return the routes. A key's name is the labeller; `served_labels` are what texts may get."""
    router = APIRouter(tags=["labels"])

    @router.post(
        "/feedback",
        summary="A person's label of a text, a prediction or a tweet",
        response_class=Response,
        openapi_extra=openapi_of(FeedbackRequest, GivenFeedback),
    )
    async def feedback(request: Request) -> Response:
        asked = decode_body(await read_body(request), feedback_decoder)
        labeller = _labeller(caller_of(request))

        def give() -> GivenFeedback:
            with lend() as connection:
                return _give(connection, labeller, asked, served_labels(), now())

        return json_answer(await to_thread.run_sync(give))

    @router.delete(
        "/feedback/texts/{text_sha256}",
        summary="Delete a text of one's own with its label",
        response_class=Response,
        status_code=204,
    )
    def forget(
        request: Request, text_sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
    ) -> Response:
        labeller = _labeller(caller_of(request))
        with lend() as connection, connection, connection.cursor() as cur:
            stored = stored_text_label(cur, text_sha256)
            if stored is None:
                raise Refused(404, "not-there", "There is no such thing.", "No text has this hash.")
            if stored.labeller != labeller.name and not labeller.overrules:
                raise Refused(409, "locked", "Somebody else has labelled this.", "It is theirs.")
            delete_text_label(cur, text_sha256)
        return Response(status_code=204)

    @router.get(
        "/labels/queue",
        summary="Which tweets to label next, as `murmur labels queue --json`, with tickets",
        response_class=Response,
        openapi_extra=openapi_of_answer(QueueAnswer),
    )
    def queue(
        request: Request,
        run: Annotated[str, Query(min_length=1, max_length=200)],
        count: Annotated[int, Query(ge=1, le=_MOST_DRAWN)] = 20,
        rule: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        audits_only: bool = False,
        second_opinion: bool = False,
    ) -> Response:
        choice = Choice(
            run=run,
            labeller=caller_of(request).name,
            rule=rule,
            second_opinion=second_opinion,
        )
        with lend() as connection:
            require_run(connection, run)
            with connection, connection.cursor() as cur:
                drawn = draw_tickets(cur, choice, count, audits_only=audits_only, now=now())
        return json_answer(drawn)

    return router


def _labeller(caller: Caller) -> Labeller:
    return Labeller(name=caller.name, overrules=_OVERRULES in caller.scopes)


def _give(
    connection: Connection,
    labeller: Labeller,
    asked: FeedbackRequest,
    labels: Sequence[str],
    now: datetime,
) -> GivenFeedback:
    named = [asked.text, asked.prediction_id, asked.tweet_id, asked.ticket]
    if sum(each is not None for each in named) != 1 or (asked.run is None) != (
        asked.tweet_id is None
    ):
        raise _invalid("Name one thing: text, prediction_id, run with tweet_id, or ticket.")
    if asked.ticket is not None:
        with connection, connection.cursor() as cur:
            secret = feedback_secret(cur)
        try:
            ticket = checked(asked.ticket, secret, now)
        except WrongTicket:
            raise _invalid("The ticket is not valid, or older than 7 days.") from None
        if ticket.labeller != labeller.name:
            raise _invalid("The ticket was drawn for another labeller.")
        return answer_ticket(connection, labeller, ticket, asked.label, now)
    if asked.run is not None and asked.tweet_id is not None:
        require_run(connection, asked.run)
        return correct_tweet(connection, labeller, asked.run, asked.tweet_id, asked.label, now)
    text = asked.text
    if asked.prediction_id is not None:
        text = logged_text(connection, asked.prediction_id)
    if text is None:
        raise Refused(404, "not-there", "There is no such thing.", "No such prediction is logged.")
    if not text.strip():
        raise _invalid("The text is only white space.")
    if asked.label is None or asked.label not in labels:
        raise Refused(
            422, "unknown-label", "There is no such label.", f"There are {', '.join(labels)}."
        )
    return correct_text(connection, labeller, storable_text(text), asked.label, now)


def _invalid(detail: str) -> Refused:
    return Refused(422, "invalid", "The body is not what is asked for.", detail)
