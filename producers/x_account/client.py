"""Asking X single questions through Tweepy, waiting where X asks for it."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import requests
import tweepy
from tweepy.errors import HTTPException, TooManyRequests, TwitterServerError

from producers.x_account.http_adapter import NO_TOKEN, TWEEPY_HOST, XAdapter, XUnreachable
from producers.x_account.retry_after import asked_wait_s
from producers.x_api.problems import is_problem, json_object, said_by
from schemas.failures import Failure

logger = logging.getLogger(__name__)

_TRIES: Final = 5
_FIRST_WAIT_S: Final = 5.0
_RATE_LIMIT_WAIT_S: Final = 60.0

ADVICE: Final = {
    401: "X rejected the token (401): check MURMUR_X_BEARER_TOKEN",
    402: "the account's credit at X is used up: top it up, or raise its spending limit, at X",
    403: "X says that the account has no access to this",
}
"""What a person has to mend, by X's status."""

Wait = Callable[[float], object]
Answer = dict[str, Any]


class XRefused(Failure):
    """X refused the question itself, not who asked it; it would refuse it again.

    `status` is that of HTTP, 200 where the answer is nothing but errors; `problem` is what X says.
    """

    def __init__(self, message: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


class XAsksToWait(Failure):
    """X would answer later: it asks for a longer wait than the one who asks has time for."""

    def __init__(self, why: str, wait_s: float) -> None:
        super().__init__(f"{why}: try again in {wait_s:.0f} s")
        self.wait_s = wait_s


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


def answered(response: Any) -> Answer:
    """Return X's answer; raise `XRefused` where it is nothing but errors, though with 200."""
    answer = response if isinstance(response, dict) else response.json()
    if not isinstance(answer, dict):
        raise XRefused("X answers with something that is no JSON object", 200, {})
    if is_problem(answer):
        raise XRefused(f"X answers with errors alone: {said_by(answer)}", 200, answer)
    return answer


def patient(
    wait: Wait = time.sleep,
    now_s: Callable[[], float] = time.time,
    *,
    most_wait_s: float = math.inf,
) -> Ask:
    """Return a way of asking that tries up to five times, no faster than X's documented waits.

    Each wait is said in the log, with why: after a rate limit it can be a quarter of an hour. X
    that cannot be reached is said at once, with its host and what is in the way. Waits that would
    take more than `most_wait_s`, of all questions together, are not begun: `XAsksToWait` is raised.
    """
    left_s = most_wait_s

    def ask(question: Callable[[], Answer]) -> Answer:
        nonlocal left_s
        for attempt in range(_TRIES):
            try:
                return question()
            except TooManyRequests as error:
                seconds = max(_RATE_LIMIT_WAIT_S, asked_wait_s(error.response.headers, now_s()))
                why = f"X's rate limit is reached{_reason(error)}"
            except TwitterServerError as error:
                seconds = asked_wait_s(error.response.headers, now_s())
                seconds = max(_FIRST_WAIT_S * 2**attempt, seconds)
                why = f"X answers {error.response.status_code}{_reason(error)}"
            except HTTPException as error:
                raise _refusal(error) from None
            except XUnreachable as error:
                seconds = _FIRST_WAIT_S * 2**attempt
                why = f"X cannot be reached: {error.cause}"
            except requests.RequestException as error:
                seconds = _FIRST_WAIT_S * 2**attempt
                why = f"X's answer cannot be read ({type(error).__name__})"
            if seconds > left_s:
                raise XAsksToWait(why, seconds)
            if attempt < _TRIES - 1:
                left_s -= seconds
                logger.warning("%s: asking again in %.0f s", why, seconds)
                wait(seconds)
        raise Failure(f"{why}, even after {_TRIES} tries: try again later")

    return ask


def until(end_s: float, ask: Ask, clock_s: Callable[[], float] = time.monotonic) -> Ask:
    """Return a way of asking that raises `Failure` in place of a question after a moment."""

    def ask_in_time(question: Callable[[], Answer]) -> Answer:
        if clock_s() >= end_s:
            raise Failure("X has more answers than there is time for: do it again to go on")
        return ask(question)

    return ask_in_time


def _refusal(error: HTTPException) -> Failure:
    status = error.response.status_code
    problem = json_object(error.response.content) or {}
    if status not in ADVICE:
        return XRefused(f"X refuses with {status}{_reason(error)}", status, problem)
    said = said_by(problem)
    return Failure(f"{ADVICE[status]} (X says: {said})" if said else ADVICE[status])


def _reason(error: HTTPException) -> str:
    """Return X's own words; the token, should X repeat it, has been taken out of them."""
    problem = json_object(error.response.content)
    said = "" if problem is None else said_by(problem)
    return f": {said}" if said else ""
