"""X's batch compliance: a job is made, ids go up, the answer comes down."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO, Any, Final
from urllib.parse import urlsplit

import requests

from producers.compliance.results import Kind
from producers.x_account.client import Ask
from schemas.failures import Failure

_LOOK_EVERY_S: Final = 30.0
_TIMEOUT_S: Final = (10.0, 120.0)
_LOOPBACK: Final = frozenset(["127.0.0.1", "localhost"])
_OVER: Final = frozenset(["failed", "expired"])


class ComplianceJobs:
    """Batch jobs at X; the lists travel by addresses that X gives, without the token."""

    def __init__(self, client: Any, ask: Ask, wait: Callable[[float], object]) -> None:
        self._client = client
        self._ask = ask
        self._wait = wait

    def begin(self, kind: Kind, ids: IO[bytes]) -> str:
        """Make a job, send the ids (one a line), return the job's id."""
        job = self._ask(lambda: dict(self._client.create_compliance_job(kind)))["data"]
        with _storage("PUT", str(job["upload_url"]), data=ids):
            return str(job["id"])

    def result(self, job_id: str, give_up_after_s: float) -> Iterator[bytes]:
        """Wait until a job is done and yield the lines of its result.

        Raises `Failure` where the job failed or takes longer; a later call may go on waiting.
        """
        waited_s = 0.0
        while True:
            job = self._ask(lambda: dict(self._client.get_compliance_job(job_id)))["data"]
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
        with _storage("GET", str(job["download_url"]), stream=True) as answer:
            try:
                for line in answer.iter_lines(chunk_size=64 * 1024):
                    if line.strip():
                        yield line
            except requests.RequestException as error:
                raise Failure(
                    f"the connection to X's storage broke ({type(error).__name__}): run the same "
                    "command again"
                ) from None


class JobOver(Failure):
    """A job that will never have a result: begin another."""


def _storage(method: str, address: str, **options: Any) -> closing[requests.Response]:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise Failure("X named an address for a compliance job that is not https")
    headers = {"Content-Type": "text/plain"} if method == "PUT" else {}
    try:
        answer = requests.request(method, address, headers=headers, timeout=_TIMEOUT_S, **options)
    except requests.RequestException as error:
        # The address holds a signature: it is not shown.
        raise Failure(f"X's storage cannot be reached ({type(error).__name__})") from None
    if not answer.ok:
        answer.close()
        raise Failure(f"X's storage answers {answer.status_code}")
    return closing(answer)
