"""Why X cannot be reached, as a person can act on it: host and cause."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, NameResolutionError

from schemas.escape_for_terminal import shown

_MAX_CHARS: Final = 200


def unreachable_cause(
    error: requests.RequestException, address: str, proxies: Mapping[str, str]
) -> str:
    """Return one line that names the host of `address` and what is in the way to it.

    DNS, a refused connection, TLS, a proxy, or no answer in time; anything else by the name of
    its error. No part of the address but host and port is shown, nor of a proxy's.
    """
    causes = list(_causes(error))
    if isinstance(error, requests.exceptions.ProxyError):
        proxy = proxies.get(urlsplit(address).scheme) or proxies.get("all") or ""
        why = f"the proxy {_host(proxy)} does not let it through ({_last(causes)})"
    elif any(isinstance(each, NameResolutionError) for each in causes):
        why = "its name has no address here (DNS)"
    elif isinstance(error, requests.exceptions.SSLError):
        why = f"TLS fails ({_last(causes)})"
    elif isinstance(error, requests.exceptions.ConnectTimeout):
        why = "no connection in time (timeout)"
    elif isinstance(error, requests.exceptions.ReadTimeout):
        why = "connected, and no answer in time (timeout)"
    elif any(isinstance(each, ConnectionRefusedError) for each in causes):
        why = "it refuses the connection"
    else:
        why = _last(causes)
    return f"{_host(address)}: {why}"


def _host(address: str) -> str:
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        port = parts.port
    except ValueError:
        port = None
    name = parts.hostname or "(no host)"
    if port is None or (parts.scheme, port) in (("https", 443), ("http", 80)):
        return shown(name, _MAX_CHARS)
    return shown(f"{name}:{port}", _MAX_CHARS)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what is behind it, as far as it is said: reasons, arguments, contexts."""
    waiting: list[object] = [error]
    known: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in known:
            continue
        known.add(id(each))
        yield each
        waiting += [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]


def _last(causes: list[BaseException]) -> str:
    """Return what the innermost error says: that of the operating system or of TLS."""
    for each in reversed(causes):
        said = getattr(each, "verify_message", "") or getattr(each, "strerror", "")
        if isinstance(said, str) and said and not isinstance(each, requests.RequestException):
            return shown(said, _MAX_CHARS)
        if str(each).startswith("Tunnel connection failed"):
            return shown(str(each), _MAX_CHARS)
    named = [each for each in causes if not isinstance(each, requests.RequestException | HTTPError)]
    return type((named or causes)[-1]).__name__
