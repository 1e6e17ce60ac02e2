"""The pages that the head of every page leads to, in their order."""

from typing import Final, NamedTuple

from deploy.web.access.scopes import Scope


class Place(NamedTuple):
    """A page: `name` is its word in the section `navigation` of the strings, `path` is beneath
    the page's own, and it is shown to whose key has the scope."""

    name: str
    path: str
    scope: Scope


NAVIGATION: Final = (
    Place("overview", "", Scope.READ),
    Place("tweets", "/tweets", Scope.READ),
    Place("alarms", "/alarms", Scope.READ),
    Place("compare", "/compare", Scope.READ),
    Place("try", "/try", Scope.PREDICT),
    Place("labels", "/labels", Scope.LABEL),
    Place("model", "/model", Scope.READ),
    Place("machine", "/machine", Scope.READ),
    Place("report", "/report", Scope.READ),
)
