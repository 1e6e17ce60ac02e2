"""Asking X single questions through Tweepy, waiting where X asks for it."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import requests
import tweepy
from tweepy.errors import BadRequest, HTTPException, TooManyRequests, TwitterServerError

from producers.x_account.http_adapter import NO_TOKEN, TWEEPY_HOST, XAdapter
from producers.x_account.retry_after import asked_wait_s
from schemas.failures import Failure

logger = logging.getLogger(__name__)

_TRIES: Final = 5
_FIRST_WAIT_S: Final = 5.0
_RATE_LIMIT_WAIT_S: Final = 60.0
_MAX_SAID_CHARS: Final = 300

Wait = Callable[[float], object]
Answer = dict[str, Any]


class XRefused(Failure):
    """X refused the question itself, not who asked it; it would refuse it again."""


class Ask(Protocol):
    """Asks X one question; raises `XRefused` or another `Failure`."""

    def __call__(self, question: Callable[[], Answer]) -> Answer:
        """Return X's answer, waiting and asking again where X asks for that."""
        ...


def search_client(adapter: XAdapter) -> Any:
    """Return Tweepy's client for searches and compliance jobs; it has no token."""
    client = tweepy.Client(NO_TOKEN, return_type=dict)
    client.session.mount(TWEEPY_HOST, adapter)
    return client


def rules_client(adapter: XAdapter) -> Any:
    """Return Tweepy's client for the stream's rules; it has no token."""
    client = tweepy.StreamingClient(NO_TOKEN, return_type=dict)
    client.session.mount(TWEEPY_HOST, adapter)
    return client


def patient(wait: Wait = time.sleep, now_s: Callable[[], float] = time.time) -> Ask:
    """Return a way of asking that tries up to five times, no faster than X's documented waits.

    Each wait is said in the log: after a rate limit it can be a quarter of an hour.
    """

    def ask(question: Callable[[], Answer]) -> Answer:
        for attempt in range(_TRIES):
            try:
                return question()
            except TooManyRequests as error:
                seconds = max(_RATE_LIMIT_WAIT_S, asked_wait_s(error.response.headers, now_s()))
                why = "X's rate limit is reached"
            except TwitterServerError as error:
                seconds = asked_wait_s(error.response.headers, now_s())
                seconds = max(_FIRST_WAIT_S * 2**attempt, seconds)
                why = f"X answers {error.response.status_code}"
            except HTTPException as error:
                raise _refusal(error) from None
            except requests.RequestException as error:
                seconds = _FIRST_WAIT_S * 2**attempt
                why = f"X cannot be reached ({type(error).__name__})"
            if attempt < _TRIES - 1:
                logger.warning("%s: asking again in %.0f s", why, seconds)
                wait(seconds)
        raise Failure(f"{why}, even after {_TRIES} tries: try again later")

    return ask


def _refusal(error: HTTPException) -> Failure:
    status = error.response.status_code
    if status == 401:
        return Failure("X rejected the token (401): check MURMUR_X_BEARER_TOKEN")
    if status == 403:
        return Failure("X says that the account has no access to this")
    said = ""
    if isinstance(error, BadRequest):
        # What was wrong with the question. The token is no part of one, nor of its answer.
        said = ": " + "; ".join(map(str, error.api_messages))[:_MAX_SAID_CHARS]
    return XRefused(f"X refuses with {status}{said}")
