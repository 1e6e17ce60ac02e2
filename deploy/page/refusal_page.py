"""Refusals and faults as a person sees them; where a key is needed, the form that takes it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from deploy.page.rendering import HEADERS, SENT_BY_HTMX, Pages, page_answer
from deploy.web.access.browser import COOKIE, PAGE, came_from_elsewhere
from model_server.http.problems import Refused


class RefusalPages:
    """Answers a refused request with a page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def answer(self, scope: Scope, refused: Refused) -> Response:
        """Return the page that tells it, with the refusal's status and headers."""
        request = Request(scope)
        status = refused.problem.status
        headers = {**HEADERS, **refused.headers}
        if status == 401 and SENT_BY_HTMX in request.headers:
            # The open page is asked for anew, and that shows the form.
            return Response(status_code=401, headers={**headers, "HX-Refresh": "true"})
        if status != 401:
            html = self._pages.html(request, "refusal.html", problem=refused.problem)
            return page_answer(request, html, status, refused.headers)
        if came_from_elsewhere(request.headers) and request.method == "GET":
            # The browser kept the cookie back; it sends it with what this page asks for.
            return page_answer(
                request, self._pages.html(request, "come_in.html"), 401, refused.headers
            )
        answer = page_answer(
            request,
            self._pages.html(
                request,
                "sign_in.html",
                wrong=refused.problem.type.endswith("wrong-key"),
                following=followed(str(request.url.path), request.url.query),
            ),
            401,
            refused.headers,
        )
        answer.delete_cookie(COOKIE, path=PAGE)
        return answer


def followed(path: str, query: str) -> str:
    """Return where to go after the sign-in: a page of ours, or the first one."""
    if not (path == PAGE or path.startswith(f"{PAGE}/")) or path.startswith(f"{PAGE}/sign-"):
        return PAGE
    return f"{path}?{query}" if query else path
