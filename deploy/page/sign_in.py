"""Signing in with a key, and out. The cookie is kept from scripts, other sites and other paths."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.page.forms import read_form
from deploy.page.refusal_page import followed
from deploy.page.rendering import Pages
from deploy.web.access.api_key import ApiKey
from deploy.web.access.browser import COOKIE, PAGE
from model_server.http.problems import Refused

CheckKey = Callable[[str, str], Awaitable[ApiKey]]
"""An address and a key to its owner; raises `Refused`."""

_DAYS_30_S: Final = 30 * 86_400
_MOST_FORM_BYTES: Final = 16 * 1024
"""Anybody may send this form."""


def sign_in_router(pages: Pages, check_key: CheckKey) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PAGE}/sign-in")
    async def form(request: Request) -> Response:
        return pages.answer(request, "sign_in.html", wrong=False, following=PAGE)

    @router.post(f"{PAGE}/sign-in")
    async def sign_in(request: Request) -> Response:
        fields = await read_form(request, _MOST_FORM_BYTES)
        presented = fields.get("key", "").strip()
        following = _wanted(fields.get("following", ""))
        try:
            await check_key(request.client.host if request.client else "", presented)
        except Refused as refused:
            status = refused.problem.status
            return pages.answer(
                request, "sign_in.html", status=status, wrong=True, following=following
            )
        answer = RedirectResponse(following, status_code=303)
        answer.set_cookie(
            COOKIE,
            presented,
            path=PAGE,
            max_age=_DAYS_30_S if fields.get("stay") else None,
            httponly=True,
            samesite="strict",
            # A proxy may speak TLS for us: the browser says how it came.
            secure=request.headers.get("origin", "").startswith("https:"),
        )
        return answer

    @router.post(f"{PAGE}/sign-out")
    async def sign_out() -> Response:
        answer = RedirectResponse(f"{PAGE}/sign-in", status_code=303)
        answer.delete_cookie(COOKIE, path=PAGE)
        return answer

    return router


def _wanted(following: str) -> str:
    """Return the page that a form leads to; the first one where it names none of ours."""
    try:
        wanted = urlsplit(following)
    except ValueError:
        return followed("", "")
    return followed(wanted.path, wanted.query)
