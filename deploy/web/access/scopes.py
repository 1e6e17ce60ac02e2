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


def scope_of(path: str) -> Scope | Public | None:
    """Return what a path needs; None where nothing is said of it."""
    if path == "/":
        return PUBLIC
    beginning = path
    while beginning:
        if beginning in PATHS:
            return PATHS[beginning]
        beginning = beginning.rpartition("/")[0]
    return None
