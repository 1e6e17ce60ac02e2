"""A parameter that a call does not know is refused: a misspelt filter would give everything."""

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from deploy.web.access.browser import is_page
from model_server.http.problems import Refused


async def only_known_parameters(request: Request) -> None:
    """Raise `Refused` for a parameter of the address that the route does not name.

    The page's own addresses hold a view, of which each page takes what concerns it.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute) or is_page(request.url.path):
        return
    known = _named(route.dependant)
    if set(request.query_params) - known:
        names = ", ".join(sorted(known)) or "none"
        raise Refused(422, "invalid", "A parameter is not known.", f"The call takes {names}.")


def _named(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*map(_named, dependant.dependencies))
