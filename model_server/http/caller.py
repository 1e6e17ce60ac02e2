"""Who sends a request, as the service's guard found it."""

from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.types import Scope

_STATE: Final = "caller"


class Caller(Struct, frozen=True, kw_only=True):
    """`identity` is the same for all requests of a key; `name` is what people called the key.

    `scopes` are what it allows. Without keys the person at this machine has all of them.
    """

    identity: str
    name: str
    scopes: frozenset[str]


def note_caller(scope: Scope, caller: Caller) -> None:
    """Note in an ASGI scope who sends its request."""
    scope.setdefault("state", {})[_STATE] = caller


def caller_of(request: Request) -> Caller:
    """Return who sends a request; every route behind the guard has one, unless it is public."""
    caller = getattr(request.state, _STATE)
    if not isinstance(caller, Caller):
        raise TypeError("no guard has noted the caller")
    return caller
