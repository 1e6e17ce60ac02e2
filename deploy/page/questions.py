"""A question before something is done that others notice: what it does, and the way back."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.rendering import Pages


class Question(Struct, frozen=True, kw_only=True):
    """What is asked. `name` stands in `question_heading`, `question_explained` and `question_go` of
    the strings.

    `facts` are names from the section `facts` of the strings with their values; `fields` go to
    `action` if the person agrees, `back` is where they go if not. `note` asks for a reason.
    """

    name: str
    action: str
    back: str
    fields: Mapping[str, str] = {}
    facts: tuple[tuple[str, Any], ...] = ()
    dangerous: bool = False
    note: bool = False


def ask(pages: Pages, request: Request, question: Question, active: str) -> Response:
    """Return the page that asks."""
    return pages.answer(request, "question.html", active=active, question=question)
