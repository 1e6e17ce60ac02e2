"""A text of one's own: its label, the probabilities, and the words that decided."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.forms import read_form
from deploy.page.rendering import Pages
from deploy.page.text_explainer import Explain
from deploy.web.access.browser import PAGE
from schemas.events import MAX_TEXT_CHARS

_PATH: Final = f"{PAGE}/try"


def try_router(pages: Pages, explain: Explain) -> APIRouter:
    """Return the routes. A text is sent in a form, so that no address and no log holds it."""
    router = APIRouter(include_in_schema=False)
    say = pages.strings.say

    def show(request: Request, text: str, fault: str, **values: object) -> Response:
        return pages.answer(
            request,
            "try.html",
            status=422 if fault else 200,
            active="try",
            text=text,
            fault=fault,
            most_chars=MAX_TEXT_CHARS,
            **{"found": None, **values},
        )

    @router.get(_PATH)
    async def form(request: Request) -> Response:
        return show(request, "", "")

    @router.post(_PATH)
    async def answer(request: Request) -> Response:
        text = (await read_form(request)).get("text", "").replace("\r\n", "\n")
        if not text.strip():
            return show(request, "", say("try.empty"))
        if len(text) > MAX_TEXT_CHARS:
            return show(request, text[:MAX_TEXT_CHARS], say("try.too_long"))
        return show(request, text, "", found=await explain(text))

    return router
