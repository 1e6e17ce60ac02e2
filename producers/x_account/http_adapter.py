"""The way of every request to X: to the host that is set, with the token, and with a time limit.

Tweepy never gets the token: it formats its headers into debug lines, and its clients are what
tracebacks show. The token is put into a copy of the request, here, and lives no longer than that.
"""

from typing import Any, Final
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from schemas.failures import Failure
from schemas.settings import Settings

TWEEPY_HOST: Final = "https://api.twitter.com/"
"""Written into Tweepy's code; a session's requests to it go through the adapter. The slash counts:
without it, a host whose name merely begins so would get the token too."""

NO_TOKEN: Final = "kept-elsewhere"  # noqa: S105  it is none
"""What Tweepy believes to be the token."""

CONNECT_TIMEOUT_S: Final = 10.0

_LOOPBACK: Final = frozenset(["127.0.0.1", "localhost", "::1"])


class XAdapter(HTTPAdapter):
    """Sends what Tweepy asks of X to `api`, with the token; a redirect elsewhere goes without it.

    `timeout_s` is for connecting, and `silence_s` for each wait for bytes. Raises `Failure` for an
    address to which a token must not be sent.
    """

    def __init__(self, api: str, token: SecretStr, *, timeout_s: float, silence_s: float) -> None:
        address = urlsplit(api)
        loopback = address.scheme == "http" and address.hostname in _LOOPBACK
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
        try:
            response = super().send(outgoing, **options)
        except requests.RequestException as error:
            error.request = request
            raise
        response.request = request
        return response


def x_adapter(settings: Settings) -> XAdapter:
    """Return the way to X that the settings name; raises `MissingSetting` without a token."""
    return XAdapter(
        settings.x_api,
        settings.x_token,
        timeout_s=CONNECT_TIMEOUT_S,
        silence_s=settings.x_silence_s,
    )
