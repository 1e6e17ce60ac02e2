"""What a key may be allowed, and which of it each path needs."""

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a key allows: ask the model, read what is stored, label, run the installation."""

    PREDICT = "predict"
    READ = "read"
    LABEL = "label"
    OPERATE = "operate"


class Public(StrEnum):
    """Paths that need no key: they tell only whether the service lives, and how it is called."""

    PUBLIC = "public"


PUBLIC: Final = Public.PUBLIC

PATHS: Final[dict[str, Scope | Public]] = {
    "/health": PUBLIC,
    "/healthz": PUBLIC,
    "/readyz": PUBLIC,
    "/openapi.json": PUBLIC,
    "/v2/health": PUBLIC,
    "/page/static": PUBLIC,
    "/page/sign-in": PUBLIC,
    "/page/sign-out": PUBLIC,
    "/page": Scope.READ,
    "/page/try": Scope.PREDICT,
    "/page/labels": Scope.LABEL,
    "/page/alarms/seen": Scope.LABEL,
    "/page/model/act": Scope.OPERATE,
    "/page/machine/act": Scope.OPERATE,
    "/v2": Scope.PREDICT,
    "/predict": Scope.PREDICT,
    "/explain": Scope.PREDICT,
    "/model": Scope.PREDICT,
    "/metrics": Scope.READ,
    "/totals": Scope.READ,
    "/series": Scope.READ,
    "/hashtags": Scope.READ,
    "/rules": Scope.READ,
    "/runs": Scope.READ,
    "/tweets": Scope.READ,
    "/export": Scope.READ,
    "/dead-letters": Scope.READ,
    "/alarms": Scope.READ,
    "/why": Scope.READ,
    "/data": Scope.READ,
    "/models": Scope.READ,
    "/jobs": Scope.READ,
    "/events": Scope.READ,
    "/feedback": Scope.LABEL,
    "/labels": Scope.LABEL,
    "/recent_predictions": Scope.LABEL,
    "/retrain": Scope.OPERATE,
    "/drift": Scope.READ,
    "/overrides": Scope.READ,
    "/evaluations": Scope.READ,
    "/evaluate": Scope.OPERATE,
}
"""By the beginning of a path, in whole segments; the longest that fits decides. `/` is public.

A path that none of them covers is refused, whoever asks: a new route needs its line here.
"""


ASKS_THE_MODEL: Final = (("/tweets/", "/explanation"), ("/page/labels/tried/", "text"))
"""Beginnings and endings of paths that need `predict` beside the scope of what they show."""


def scopes_of(path: str) -> frozenset[Scope] | Public | None:
    """Return the scopes that a path needs, all of them; None where nothing is said of it."""
    if path == "/":
        return PUBLIC
    beginning = path
    while beginning not in PATHS:
        beginning = beginning.rpartition("/")[0]
        if not beginning:
            return None
    needed = PATHS[beginning]
    if isinstance(needed, Public):
        return PUBLIC
    return frozenset({needed, Scope.PREDICT} if _asks_the_model(path) else {needed})


def _asks_the_model(path: str) -> bool:
    return any(
        path.startswith(beginning) and path.removeprefix(beginning).endswith(ending)
        for beginning, ending in ASKS_THE_MODEL
    )
