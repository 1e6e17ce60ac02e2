"""A text of one's own: its label and why, whether that is right, and what was answered lately."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.page.forms import read_form
from deploy.page.label_looks import in_order
from deploy.page.page_sources import PageSources
from deploy.page.recent_predictions import RecentView, recent_answers, recent_view
from deploy.page.rendering import Pages
from deploy.page.text_explainer import Explain, ExplainedText
from deploy.page.text_feedback import said_of, say, take_back, text_of_prediction
from deploy.web.access.browser import PAGE
from deploy.web.access.scopes import Scope
from model_server.http.batching import Answer
from model_server.http.caller import Caller, caller_of
from model_server.prediction_log.log_writer import PredictionLog
from model_server.scorer import Prediction
from schemas.events import MAX_TEXT_CHARS
from schemas.failures import Failure

_PATH: Final = f"{PAGE}/try"
_TRIED: Final = f"{PAGE}/labels/tried"
_LAST: Final = RecentView()


@dataclass(frozen=True)
class TryPages:
    """Shows a text's answer with what is said of it, and what was answered lately.

    Whoever may label says what is right, and sees what was answered lately, if that is logged.
    """

    pages: Pages
    sources: PageSources
    log: PredictionLog
    served_labels: Callable[[], Sequence[str]]

    def show(
        self,
        request: Request,
        text: str = "",
        fault: str = "",
        found: ExplainedText | None = None,
        recent: RecentView = _LAST,
    ) -> Response:
        """Return the page. It waits for PostgreSQL; without that it says so and shows the rest."""
        caller = caller_of(request)
        return self.pages.answer(
            request,
            "try.html",
            status=422 if fault else 200,
            active="try",
            text=text,
            fault=fault,
            found=found,
            most_chars=MAX_TEXT_CHARS,
            days=self.log.days,
            tried=_TRIED,
            served_labels=in_order(self.served_labels()),
            recent_view=recent,
            **self._stored(caller, text if found else None, recent),
        )

    def faulty(self, request: Request, text: str) -> Response | None:
        """Return the page that says why a text is not answered; None: it is."""
        say = self.pages.strings.say
        if not text.strip():
            return self.show(request, "", say("try.empty"))
        if len(text) > MAX_TEXT_CHARS:
            return self.show(request, text[:MAX_TEXT_CHARS], say("try.too_long"))
        return None

    def store(self, caller: Caller, fields: Mapping[str, str], text: str | None = None) -> None:
        """Store what is said of a text (None: of the prediction that is named), or take it back."""
        with self.sources.lend() as connection:
            if text is None:
                text = text_of_prediction(connection, fields.get("prediction", ""))
            if fields.get("do") == "undo":
                take_back(connection, caller, text)
            else:
                say(connection, caller, text, fields.get("label", ""), self.served_labels())

    def _stored(self, caller: Caller, text: str | None, view: RecentView) -> dict[str, Any]:
        stored: dict[str, Any] = {"said": None, "recent": None, "stored_fault": ""}
        if Scope.LABEL not in caller.scopes or (text is None and not self.log.is_on):
            return stored
        try:
            with self.sources.lend() as connection:
                if text is not None:
                    stored["said"] = said_of(connection, caller, [text]).get(text)
                if self.log.is_on:
                    stored["recent"] = recent_answers(connection, caller, view)
        except Failure as failure:
            stored["stored_fault"] = str(failure)
        return stored


def try_router(try_pages: TryPages, explain: Explain) -> APIRouter:
    """Return the routes. A text is sent in a form, so that no address and no log holds it."""
    router = APIRouter(include_in_schema=False)

    @router.get(_PATH)
    def form(request: Request) -> Response:
        given = request.query_params
        view = recent_view(given.get("label", ""), given.get("cursor", ""))
        return try_pages.show(request, recent=view)

    @router.post(_PATH)
    async def answer(request: Request) -> Response:
        text = _text(await read_form(request))
        faulty = await to_thread.run_sync(try_pages.faulty, request, text)
        if faulty is not None:
            return faulty
        found = await explain(text)
        if try_pages.log.is_on:
            name = caller_of(request).name
            try_pages.log.note(name, [text], _answer(found), [found.counting])
        return await to_thread.run_sync(try_pages.show, request, text, "", found)

    @router.post(f"{_TRIED}/text")
    async def of_text(request: Request) -> Response:
        """Store what is said of a text, and show its answer again."""
        fields = await read_form(request)
        text = _text(fields)
        faulty = await to_thread.run_sync(try_pages.faulty, request, text)
        if faulty is not None:
            return faulty
        await to_thread.run_sync(try_pages.store, caller_of(request), fields, text)
        return await to_thread.run_sync(try_pages.show, request, text, "", await explain(text))

    @router.post(f"{_TRIED}/prediction")
    async def of_prediction(request: Request) -> Response:
        """Store what is said of a logged prediction, and show the table again."""
        fields = await read_form(request)
        view = recent_view(fields.get("of_label", ""), fields.get("cursor", ""))
        await to_thread.run_sync(try_pages.store, caller_of(request), fields)
        return RedirectResponse(view.at(f"p-{quote(fields['prediction'])}"), status_code=303)

    return router


def _text(fields: Mapping[str, str]) -> str:
    return fields.get("text", "").replace("\r\n", "\n")


def _answer(found: ExplainedText) -> Answer:
    prediction = Prediction(found.label, found.confidence, dict(found.probabilities))
    return Answer([prediction], found.model)
