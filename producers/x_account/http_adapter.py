"""The way of every request to X: to the host that is set, with the token, and with a time limit.

Tweepy never gets the token: it formats its headers into debug lines, and its clients are what
tracebacks show. The token is put into a copy of the request, here, and lives no longer than that.
Nor does it come back: a refusal that repeats it is scrubbed, and a redirect is not followed.
"""

import io
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from producers.x_account.unreachable import unreachable_cause
from schemas.failures import Failure
from schemas.settings import Settings

TWEEPY_HOST: Final = "https://api.twitter.com/"
"""Written into Tweepy's code; a session's requests to it go through the adapter. The slash counts:
without it, a host whose name merely begins so would get the token too."""

NO_TOKEN: Final = "kept-elsewhere"  # noqa: S105  it is none
"""What Tweepy believes to be the token."""

CONNECT_TIMEOUT_S: Final = 8.0
"""A person is told within ten seconds what is in the way."""

_REFUSAL_BYTES: Final = 16 * 1024
_REFUSAL_S: Final = 1.5
"""How much of a refusal's body is read, and how long that may take: it may be of any length."""

_LOOPBACK: Final = frozenset(["127.0.0.1", "localhost", "::1"])


class XUnreachable(requests.ConnectionError):
    """No answer came. `cause` names the host and what is in the way."""

    def __init__(self, cause: str, request: requests.PreparedRequest) -> None:
        super().__init__(cause, request=request)
        self.cause = cause


class XAdapter(HTTPAdapter):
    """Sends what Tweepy asks of X to `api`, with the token, and to nobody else.

    `timeout_s` is for connecting, and `silence_s` for each wait for bytes. An answer other than
    2xx has at most 16 KiB of its body, without the token, and leads nowhere else. Raises
    `XUnreachable` where no answer comes, and `Failure` for an address to which a token must not
    be sent.
    """

    def __init__(self, api: str, token: SecretStr, *, timeout_s: float, silence_s: float) -> None:
        address = urlsplit(api)
        self._on_this_machine = address.hostname in _LOOPBACK
        loopback = address.scheme == "http" and self._on_this_machine
        if not (address.scheme == "https" or loopback) or not address.hostname:
            raise Failure("MURMUR_X_API must be an https address (or http on the loopback)")
        super().__init__(max_retries=0)
        self._api = api.rstrip("/") + "/"
        self._token = token
        self._timeout = (timeout_s, silence_s)

    def send(  # type: ignore[override]  # requests' own signature is wider than its stubs
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send a copy that has the token; the answer shows the request without it."""
        options["timeout"] = self._timeout
        outgoing = request.copy()
        outgoing.url = self._api + (request.url or "").removeprefix(TWEEPY_HOST)
        outgoing.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        # The session has looked for proxies on the way to Tweepy's host, not to this one.
        options["proxies"] = {} if self._on_this_machine else get_environ_proxies(outgoing.url)
        try:
            response = super().send(outgoing, **options)
        except (requests.ConnectionError, requests.Timeout) as error:
            error.request = request
            cause = unreachable_cause(error, self._api, options["proxies"])
            raise XUnreachable(cause, request) from error
        except requests.RequestException as error:
            error.request = request
            raise
        response.request = request
        if not 200 <= response.status_code < 300:
            self._tame(response)
        return response

    def _tame(self, response: requests.Response) -> None:
        """Put a short body without the token in the place of a refusal's own."""
        body = _beginning(response.raw, partial(shut_down, response))
        response.close()
        elsewhere = response.headers.pop("location", None)
        if elsewhere is not None:
            host = urlsplit(elsewhere).hostname or "another path"
            says = f"a redirect to {host}, which is not followed: MURMUR_X_API has to name X itself"
            body = msgspec.json.encode({"title": says})
        token = self._token.get_secret_value().encode()
        response.raw = io.BytesIO(body.replace(token, "…".encode()))


def shut_down(response: requests.Response) -> None:
    """End a response's connection from another thread, whatever that waits for."""
    if not isinstance(response.raw, BaseHTTPResponse):
        return
    try:
        response.raw.shutdown()
    except (OSError, ValueError, RuntimeError):
        # It has ended by itself meanwhile.
        return


def _beginning(raw: BaseHTTPResponse, end: Callable[[], None]) -> bytes:
    """Return as much of a body as comes in a short time, up to a bound."""
    body = bytearray()
    limit = threading.Timer(_REFUSAL_S, end)
    limit.start()
    try:
        for chunk in raw.stream(1024, decode_content=True):
            body += chunk
            if len(body) >= _REFUSAL_BYTES:
                break
    except (HTTPError, OSError):
        # What has come is what there is.
        pass
    finally:
        limit.cancel()
    return bytes(body[:_REFUSAL_BYTES])


def x_adapter(settings: Settings) -> XAdapter:
    """Return the way to X that the settings name; raises `MissingSetting` without a token."""
    return XAdapter(
        settings.x_api,
        settings.x_token,
        timeout_s=CONNECT_TIMEOUT_S,
        silence_s=settings.x_silence_s,
    )
