"""Whether a request may pass: who asks, what they may, and how often they did."""

import asyncio
import ipaddress
from collections.abc import Callable, Collection
from typing import Final, NoReturn

from prometheus_client import CollectorRegistry
from starlette.datastructures import Headers
from starlette.types import Scope

from deploy.web.access.api_key import ApiKey
from deploy.web.access.browser import (
    is_of_no_other_site,
    is_of_this_page,
    is_page,
    key_in_cookie,
)
from deploy.web.access.key_ring import KeyRing
from deploy.web.access.peer_account import Address, is_of_this_account
from deploy.web.access.request_rates import Rate, RequestRates
from deploy.web.access.scopes import PUBLIC, scopes_of
from deploy.web.access.scopes import Scope as KeyScope
from model_server.http.caller import Caller, note_caller
from model_server.http.problems import Refused
from schemas.process.metric_list import SERVE_RATE_LIMITED, SERVE_WRONG_KEYS

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_FAULTS_A_MINUTE: Final = 10
_FAULT_WAITS_S: Final = 1.0
_MOST_WAITING_FAULTS: Final = 100
_READING: Final = ("GET", "HEAD")
_KEY: Final = "key:"
_ALL_SCOPES: Final = frozenset(map(str, KeyScope))
_FORWARDED: Final = frozenset(
    {
        "forwarded",
        "via",
        "client-ip",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-real-ip",
    }
)
_FORWARDED_BEGIN: Final = ("x-forwarded", "x-original-", "x-envoy-", "x-amzn-", "cf-", "fly-")
_PROXIES_HTTP: Final = "1.0"
"""What nginx speaks to the server behind it unless told otherwise, and no browser does."""


class Admission:
    """Decides about each request by its address, its headers and its key.

    `hosts` are the names in `Host` that are answered. Every path needs the scope that `scopes.py`
    names, of a key that is valid. Only where `loopback` says that the service listens there alone,
    and as long as there is no key, the person at this machine may do everything: a request from a
    loopback address to a loopback host, sent by no proxy and by no other site's page, over a
    connection that a process of the same account (or root) holds. `person` is their name, and
    `of_this_account` tells of the connection's account; None: that is not known, and the others
    decide.

    A browser sends its key as a cookie, which counts for the page alone; what changes something
    there has to come from a page of ours. `scope["state"]["key"]` is the key of who asks, or None.

    A valid key always passes, whatever others do from its address. The answer to a wrong one waits
    a second, once an address has sent ten within a minute.
    """

    def __init__(
        self,
        *,
        hosts: Collection[str],
        loopback: bool,
        ring: KeyRing,
        rates: RequestRates,
        registry: CollectorRegistry,
        person: str = "here",
        of_this_account: Callable[[Address, Address], bool | None] = is_of_this_account,
    ) -> None:
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)
        self._loopback = loopback
        self._person = person
        self._of_this_account = of_this_account
        self._ring = ring
        self._rates = rates
        self._wrong_keys = SERVE_WRONG_KEYS.register(registry)
        self._rate_limited = SERVE_RATE_LIMITED.register(registry)
        self._waiting_faults = 0

    async def admit(self, scope: Scope) -> Rate | None:
        """Return what is left to the caller, or None where nothing is counted; or raise `Refused`.

        Nothing of the request's body is read. Who it is stands in the scope from then on.
        """
        headers = Headers(scope=scope)
        host = _host_name(headers.get("host", ""))
        if host not in self._hosts:
            raise Refused(
                400,
                "wrong-host",
                "The service does not answer to this host.",
                "`murmur serve --allow-host NAME` adds a name.",
            )
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise Refused(400, "nul", "The address holds a NUL.", "Leave it out.")
        needed = scopes_of(scope["path"])
        if needed is None:
            raise Refused(404, "not-found", "Not Found.", "/openapi.json names every call.")
        page = is_page(scope["path"])
        if page and scope["method"] not in _READING and not is_of_this_page(headers):
            raise Refused(
                403,
                "other-site",
                "Another site sent this.",
                "Open the page anew and do it there.",
            )
        if needed is PUBLIC:
            return None
        peer = peer_of(scope)
        presented = _bearer(headers.get("authorization"))
        if presented is None and page:
            presented = key_in_cookie(headers)
        key = await self._owner(scope, host, headers, presented)
        scope.setdefault("state", {})["key"] = key
        if key is not None and not needed.issubset(key.scopes):
            raise _too_little(needed, key)
        caller = self._person_here(peer) if key is None else _owner(key)
        note_caller(scope, caller)
        rate = await self._rates.count(caller.identity)
        if rate is not None and not rate.allowed:
            self._rate_limited.inc()
            raise Refused(
                429,
                "too-many-requests",
                "Too many requests.",
                f"{rate.quota:,} are taken in {rate.window_s} s (MURMUR_SERVE_RATE).",
                rate.headers(),
            )
        return rate

    async def owner_of(self, peer: str, presented: str) -> ApiKey:
        """Return the valid key that was presented; raise `Refused`, slower after many faults."""
        key = self._ring.owner_of(presented)
        if key is None:
            await self._refuse_key(peer)
        return key

    def may_go_on(self, caller: Caller) -> bool:
        """Tell whether somebody who was admitted would still be: a key may have been revoked."""
        if caller.identity.startswith(_KEY):
            return self._ring.holds(caller.identity.removeprefix(_KEY))
        return self._ring.is_empty

    def _person_here(self, peer: str) -> Caller:
        return Caller(identity=f"peer:{peer}", name=self._person, scopes=_ALL_SCOPES)

    async def _owner(
        self, scope: Scope, host: str, headers: Headers, presented: str | None
    ) -> ApiKey | None:
        """Return the key, or None for the person at this machine."""
        if presented is not None:
            return await self.owner_of(peer_of(scope), presented)
        if not self._ring.is_known:
            raise Refused(
                503,
                "keys-unknown",
                "Nobody can be let in now.",
                "The keys cannot be read: PostgreSQL does not answer the service.",
                {"Retry-After": "5"},
            )
        if self._loopback and self._ring.is_empty and self._is_person_here(scope, host, headers):
            return None
        raise Refused(
            401,
            "no-key",
            "A key is needed.",
            "Send `Authorization: Bearer KEY`: `murmur keys create` makes one.",
            {"WWW-Authenticate": "Bearer"},
        )

    def _is_person_here(self, scope: Scope, host: str, headers: Headers) -> bool:
        try:
            is_local = ipaddress.ip_address(peer_of(scope)).is_loopback
        except ValueError:
            is_local = False
        if not is_local or host not in LOOPBACK_HOSTS or _is_forwarded(scope, headers):
            return False
        server = scope.get("server")
        return is_of_no_other_site(headers) and (
            server is None or self._of_this_account(scope["client"], server) is not False
        )

    async def _refuse_key(self, peer: str) -> NoReturn:
        self._wrong_keys.inc()
        told = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        if not await self._rates.count_fault(peer, _FAULTS_A_MINUTE):
            raise Refused(401, "wrong-key", "The key is not valid.", "It may be revoked.", told)
        if self._waiting_faults < _MOST_WAITING_FAULTS:
            self._waiting_faults += 1
            try:
                await asyncio.sleep(_FAULT_WAITS_S)
            finally:
                self._waiting_faults -= 1
        raise Refused(
            429,
            "too-many-wrong-keys",
            "Too many wrong keys came from this address.",
            "A valid key is let in at once.",
            {"Retry-After": "60"},
        )


def peer_of(scope: Scope) -> str:
    """Return the address that a request came from."""
    return scope["client"][0] if scope.get("client") else ""


def _too_little(needed: frozenset[KeyScope], key: ApiKey) -> Refused:
    lacking = ", ".join(sorted(needed.difference(key.scopes)))
    return Refused(
        403,
        "scope",
        "The key does not allow this.",
        f"It lacks the scope {lacking}: `murmur keys create --scope`.",
        {
            "WWW-Authenticate": 'Bearer error="insufficient_scope", '
            f'scope="{" ".join(sorted(needed))}"'
        },
    )


def _owner(key: ApiKey) -> Caller:
    return Caller(identity=f"{_KEY}{key.key_id}", name=key.name, scopes=frozenset(key.scopes))


def _bearer(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    kind, _, presented = authorization.partition(" ")
    return presented.strip() if kind.lower() == "bearer" else ""


def _host_name(host: str) -> str:
    """Return the name without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_forwarded(scope: Scope, headers: Headers) -> bool:
    """Tell whether a proxy sent a request: it would let in whoever reaches it."""
    return scope.get("http_version") == _PROXIES_HTTP or any(
        name in _FORWARDED or name.startswith(_FORWARDED_BEGIN) for name in headers
    )
