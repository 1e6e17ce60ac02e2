"""X's batch compliance: a job is made, ids go up, the answer comes down."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import IO, Any, Final
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies

from producers.x_account.client import Answer, Ask, XRefused, answered
from producers.x_account.http_adapter import CONNECT_TIMEOUT_S
from producers.x_account.unreachable import unreachable_cause
from producers.x_api.removals import Kind
from schemas.failures import Failure

_LOOK_EVERY_S: Final = 30.0
_TIMEOUT_S: Final = (CONNECT_TIMEOUT_S, 120.0)
_LOOPBACK: Final = frozenset(["127.0.0.1", "localhost"])
_OVER: Final = frozenset(["failed", "expired"])
_GONE: Final = frozenset([404, 410])
_NO_LONGER: Final = _GONE | {403}
"""How a storage answers for a result that it no longer keeps, or whose address is too old."""


class ComplianceJobs:
    """Batch jobs at X; the lists travel by addresses that X gives, without the token."""

    def __init__(self, client: Any, ask: Ask, wait: Callable[[float], object]) -> None:
        self._client = client
        self._ask = ask
        self._wait = wait

    def begin(self, kind: Kind, ids: IO[bytes]) -> str:
        """Make a job, send the ids (one a line), return the job's id."""
        job = self._job(lambda: answered(self._client.create_compliance_job(kind)))
        with _storage("PUT", str(job["upload_url"]), data=ids):
            return str(job["id"])

    def result(self, job_id: str, give_up_after_s: float) -> Iterator[bytes]:
        """Wait until a job is done and yield the lines of its result.

        Raises `JobOver` where X will never have a result of it: it failed, or X knows neither the
        job nor its result any more. Raises `Failure` where it takes longer; a later call may go on
        waiting.
        """
        waited_s = 0.0
        while True:
            job = self._known(job_id)
            if job["status"] == "complete":
                break
            if job["status"] in _OVER:
                raise JobOver(f"X's compliance job {job_id} has {job['status']}")
            if waited_s >= give_up_after_s:
                raise Failure(
                    f"X's compliance job {job_id} is not done yet: run the same command again later"
                )
            self._wait(_LOOK_EVERY_S)
            waited_s += _LOOK_EVERY_S
        with _storage("GET", str(job["download_url"]), job_id, stream=True) as answer:
            try:
                for line in answer.iter_lines(chunk_size=64 * 1024):
                    if line.strip():
                        yield line
            except requests.RequestException as error:
                raise Failure(
                    f"the connection to X's storage broke ({type(error).__name__}): run the same "
                    "command again"
                ) from None

    def _known(self, job_id: str) -> Answer:
        try:
            return self._job(lambda: answered(self._client.get_compliance_job(job_id)))
        except XRefused as refusal:
            if refusal.status in _GONE or _says_not_found(refusal.problem):
                raise JobOver(f"X no longer knows the compliance job {job_id}") from None
            raise

    def _job(self, question: Callable[[], Answer]) -> Answer:
        job = self._ask(question).get("data")
        if not isinstance(job, dict):
            raise Failure("X's answer about a compliance job has none: try again later")
        return job


class JobOver(Failure):
    """A job that will never have a result: begin another."""


def _says_not_found(problem: Mapping[str, Any]) -> bool:
    """Tell whether an answer with 200 says in its errors that there is no such thing."""
    errors = problem.get("errors")
    return any(
        isinstance(each, Mapping) and str(each.get("type")).endswith("/resource-not-found")
        for each in [problem, *(errors if isinstance(errors, list) else [])]
    )


def _storage(
    method: str, address: str, job_id: str = "", **options: Any
) -> closing[requests.Response]:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise Failure("X named an address for a compliance job that is not https")
    headers = {"Content-Type": "text/plain"} if method == "PUT" else {}
    try:
        # The lists go where X says, and no further: the scheme has been looked at once.
        answer = requests.request(
            method,
            address,
            headers=headers,
            timeout=_TIMEOUT_S,
            allow_redirects=False,
            **options,
        )
    except requests.RequestException as error:
        # The address holds a signature: of it, the host alone is shown.
        cause = unreachable_cause(error, address, get_environ_proxies(address))
        raise Failure(f"X's storage cannot be reached: {cause}") from None
    if not 200 <= answer.status_code < 300:
        answer.close()
        if job_id and answer.status_code in _NO_LONGER:
            raise JobOver(f"X's storage no longer has the result of the compliance job {job_id}")
        raise Failure(f"X's storage answers {answer.status_code}")
    return closing(answer)
