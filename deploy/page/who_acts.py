"""Who does something on the page: the owner of the key, or the person at this machine."""

import getpass
from typing import Final

from starlette.requests import Request

from deploy.web.access.api_key import ApiKey
from deploy.web.access.scopes import Scope

_NOBODY: Final = "here"


def name_of(request: Request) -> str:
    """Return the name that what they do is stored under."""
    key: ApiKey | None = getattr(request.state, "key", None)
    if key is not None:
        return key.name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user may have no name.
        return _NOBODY


def may(request: Request, scope: Scope) -> bool:
    """Tell whether they have a scope; the person at this machine has all of them."""
    key: ApiKey | None = getattr(request.state, "key", None)
    return key is None or scope in key.scopes
