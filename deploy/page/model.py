"""The model: which one serves, how right it is, what drifts, and the way to another one."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.page.challengers import challenger_values
from deploy.page.forms import read_form, whole_number
from deploy.page.label_looks import in_order
from deploy.page.lines import LinePlot, line_plot
from deploy.page.page_sources import PageSources
from deploy.page.questions import Question, ask
from deploy.page.rendering import Pages, page_answer
from deploy.page.view_address import ViewAddress, view_of
from deploy.web.access.browser import PAGE
from deploy.web.operations import Operations
from model_server.http.problems import Refused
from model_server.model_slot import SlotState
from retrain.data_quality.measure import measure
from retrain.data_quality.schema import DataQuality
from retrain.drift.alarms.sentences import sentence
from retrain.drift.alarms.stored_alarms import AlarmSelection, find_alarms
from retrain.drift.figures.drift_figures import DriftFigures, SeenSignal
from retrain.drift.figures.read_figures import read_drift_figures
from retrain.jobs.job_store import (
    LIVE_STATES,
    ask_to_cancel,
    find_job,
    jobs,
    stage_outputs,
)
from retrain.jobs.stages import STAGES
from retrain.promotion.promotion_gate import GateVerdict
from retrain.promotion.promotions import (
    Promotion,
    PromotionRefused,
    promotions,
    to_go_back_to,
)
from retrain.promotion.served_models import ServedModel, read_turns, served_models
from retrain.span_report.reliability import read_audited_model
from schemas.failures import Failure, NotThere
from schemas.known_runs import UnknownRun, require_run
from schemas.model_events import PromotedModel

_WINDOWS: Final = 7 * 24
_MOST_ALARMS: Final = 10
_MOST_JOBS: Final = 10
_MOST_CHARS: Final = 200
_MOST_MEASURED: Final = 200_000
_ACT: Final = f"{PAGE}/model/act"


class ModelPages:
    """Reads what the pages of the model show."""

    def __init__(
        self, sources: PageSources, state: Callable[[], SlotState], operations: Operations
    ) -> None:
        self.sources = sources
        self.state = state
        self.operations = operations

    def values(self, run: str) -> dict[str, Any]:
        """Return what the page of a run shows; parts that cannot be read have a sentence each."""
        audited = self._kept(("audited", run), lambda cur: read_audited_model(cur, run))
        drift: DriftFigures | str
        try:
            drift = self._kept(
                ("drift", run), lambda cur: read_drift_figures(cur, run, "", windows=_WINDOWS)
            )
        except NotThere as fault:
            drift = str(fault)
        history = self.history()
        return {
            "run": run,
            "state": self.state(),
            "history": history,
            "served": self.served(history),
            "back_to": _back_to(history),
            "card": self._card(),
            "audited": audited,
            "labels": in_order({label for pair in audited.span.counts for label in pair}),
            "drift": drift,
            "signals": [] if isinstance(drift, str) else [_plotted(each) for each in drift.signals],
            "alarms": self._alarms(run),
            "sentence": sentence,
            **challenger_values(
                self.sources, run, is_split=bool(history) and len(history[0].event.models) > 1
            ),
            **self.jobs_values(),
        }

    def history(self) -> list[Promotion]:
        """Return every promotion, the last one first."""

        def ask_for_them() -> list[Promotion]:
            with self.sources.lend() as connection:
                return promotions(connection)

        return ask_for_them()

    def served(self, history: list[Promotion]) -> list[ServedModel]:
        """Return the models that served, also those that no promotion tells of."""
        with self.sources.lend() as connection, connection, connection.cursor() as cur:
            return served_models(read_turns(cur), history)

    def jobs_values(self) -> dict[str, Any]:
        """Return the last trainings, and the one that is not over."""
        with self.sources.lend() as connection:
            found = jobs(connection, most=_MOST_JOBS)
            live = next((job for job in found if job.state in LIVE_STATES), None)
            done = stage_outputs(connection, live.number) if live else {}
        return {
            "jobs": found,
            "live_job": live,
            "stages": [stage.name for stage in STAGES],
            "stages_done": done.keys(),
        }

    def quality(self, run: str) -> DataQuality | str:
        """Return what the tweets of a run are like (of a large one its last day), or why that is
        not known."""
        try:
            whole = self.sources.whole(run)
            start = None
            if whole.tweets > _MOST_MEASURED and whole.end is not None:
                start = whole.end - timedelta(days=1)
            found: DataQuality = self._kept(
                ("quality", run), lambda cur: measure(cur, run, start=start)
            )
        except Failure as fault:
            return str(fault)
        return found

    def _alarms(self, run: str) -> Any:
        return self._kept(
            ("model alarms", run),
            lambda cur: find_alarms(cur, AlarmSelection(run=run), _MOST_ALARMS),
        )

    def _card(self) -> str:
        def read() -> str:
            try:
                with self.sources.lend() as connection:
                    return self.operations.card(connection)
            except Failure:
                return ""

        return self.sources.shared.get("card", read)

    def _kept(self, key: tuple[str, str], read: Callable[[Any], Any]) -> Any:
        def ask_postgres() -> Any:
            with self.sources.lend() as connection, connection, connection.cursor() as cur:
                return read(cur)

        return self.sources.shared.get(key, ask_postgres)


def model_router(
    pages: Pages,
    sources: PageSources,
    state: Callable[[], SlotState],
    operations: Operations,
) -> APIRouter:
    """Return the routes that show. They wait for servers, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)
    model_pages = ModelPages(sources, state, operations)

    @router.get(f"{PAGE}/model")
    def model(request: Request) -> Response:
        asked = view_of(request.query_params)
        try:
            run = sources.run_of(asked)
        except UnknownRun as unknown:
            return pages.answer(request, "no_runs.html", active="model", reason=str(unknown))
        with sources.lend() as connection:
            require_run(connection, run)
        return pages.answer(
            request,
            "model.html",
            active="model",
            view=ViewAddress(run=run),
            runs=sources.runs(),
            done=request.query_params.get("done", "")[:_MOST_CHARS],
            **model_pages.values(run),
        )

    @router.get(f"{PAGE}/model/jobs")
    def live_jobs(request: Request) -> Response:
        """Give the trainings alone, as the open page asks for them."""
        return page_answer(
            request, pages.html(request, "model_jobs.html", **model_pages.jobs_values())
        )

    @router.get(f"{PAGE}/model/quality")
    def quality(request: Request) -> Response:
        run = sources.run_of(view_of(request.query_params))
        return pages.answer(
            request,
            "quality.html",
            active="model",
            view=ViewAddress(run=run),
            runs=sources.runs(),
            quality=model_pages.quality(run),
        )

    @router.get(f"{PAGE}/model/jobs/{{number}}")
    def one_job(request: Request, number: int) -> Response:
        with sources.lend() as connection:
            job = find_job(connection, number)
            outputs = stage_outputs(connection, number)
        return pages.answer(
            request,
            "job.html",
            active="model",
            job=job,
            is_live=job.state in LIVE_STATES,
            stages=[stage.name for stage in STAGES],
            outputs=outputs,
            verdict=_verdict(outputs),
            folder=_exported(outputs),
            log=operations.job_log() if job.state in LIVE_STATES else "",
        )

    return router


def model_acts_router(pages: Pages, sources: PageSources, operations: Operations) -> APIRouter:
    """Return the routes that change which model serves: a question, then the act."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{_ACT}/{{act}}")
    def question(request: Request, act: str) -> Response:
        number = request.query_params.get("job", "")
        with sources.lend() as connection:
            history = promotions(connection)
            verdict = _verdict(stage_outputs(connection, whole_number(number))) if number else None
        asked = _question(act, request.query_params, history, verdict)
        return ask(pages, request, asked, "model")

    @router.post(f"{_ACT}/{{act}}")
    async def do(request: Request, act: str) -> Response:
        fields = await read_form(request)
        return await to_thread.run_sync(_do, act, fields)

    def _do(act: str, fields: Mapping[str, str]) -> Response:
        because = fields.get("because", "").strip()[:_MOST_CHARS]
        with sources.lend() as connection:
            if act == "rollback":
                event = operations.roll_back(
                    connection, fields.get("to") or None, because or "rolled back on the page"
                )
                done = f"{event.champion.name} {event.champion.version}"
            elif act == "promote":
                folder = _exported(stage_outputs(connection, whole_number(fields.get("job", ""))))
                if folder is None:
                    raise NotThere("this training has no bundle yet")
                event = operations.promote(
                    connection, Path(folder), because or "promoted on the page"
                )
                done = f"{event.champion.name} {event.champion.version}"
            elif act == "cancel":
                ask_to_cancel(connection, whole_number(fields.get("job", "")))
                return _to(f"{PAGE}/model/jobs/{quote(fields['job'])}")
            else:
                raise _no_such_act()
        return _to(f"{PAGE}/model?{urlencode({'done': done})}")

    return router


def _question(
    act: str, given: Mapping[str, str], history: list[Promotion], verdict: GateVerdict | None
) -> Question:
    if act == "rollback":
        model = _back_to(history, given.get("to") or None)
        if model is None:
            raise PromotionRefused("there is no promoted model to go back to")
        is_split = not given.get("to") and len(history[0].event.models) > 1
        return Question(
            name="rollback",
            action=f"{_ACT}/rollback",
            back=f"{PAGE}/model",
            # While two share the tweets, the way back is to the champion alone.
            fields={} if is_split else {"to": model.sha256},
            facts=(
                ("serves_now", _called(history[0].event.champion)),
                ("will_serve", _called(model)),
            ),
            note=True,
        )
    if act == "promote":
        job = str(whole_number(given.get("job", "")))
        return Question(
            name="promote",
            action=f"{_ACT}/promote",
            back=f"{PAGE}/model/jobs/{job}",
            fields={"job": job},
            facts=(
                ("training", job),
                ("serves_now", _called(history[0].event.champion) if history else "–"),
                ("verdict", _told(verdict)),
            ),
            dangerous=verdict is None or not verdict.passed,
            note=True,
        )
    if act == "cancel":
        job = str(whole_number(given.get("job", "")))
        return Question(
            name="cancel_job",
            action=f"{_ACT}/cancel",
            back=f"{PAGE}/model/jobs/{job}",
            fields={"job": job},
            facts=(("training", job),),
            dangerous=True,
        )
    raise _no_such_act()


def _told(verdict: GateVerdict | None) -> str:
    if verdict is None:
        return "it was not asked"
    broken = "; ".join(rule.sentence for rule in verdict.rules if not rule.passed)
    return "it passed" if verdict.passed else f"it did not pass: {broken}"


def _called(model: PromotedModel) -> str:
    return f"{model.name} {model.version} ({model.sha256[:8]})"


def _back_to(history: list[Promotion], to: str | None = None) -> PromotedModel | None:
    """Return which model a rollback leads to, as `roll_back` decides it; None: there is none."""
    if to is None and history and len(history[0].event.models) > 1:
        return history[0].event.champion
    try:
        return to_go_back_to(history, to)
    except PromotionRefused:
        return None


def _plotted(signal: SeenSignal) -> tuple[SeenSignal, LinePlot]:
    values = [window.value for window in signal.windows]
    return signal, line_plot(values, [window.expected for window in signal.windows])


def _verdict(outputs: Mapping[str, Any]) -> GateVerdict | None:
    if "evaluate" not in outputs:
        return None
    return msgspec.convert(outputs["evaluate"].output["verdict"], GateVerdict)


def _exported(outputs: Mapping[str, Any]) -> str | None:
    return str(outputs["export"].output["folder"]) if "export" in outputs else None


def _to(address: str) -> Response:
    return RedirectResponse(address, status_code=303)


def _no_such_act() -> Refused:
    return Refused(404, "not-found", "Not Found.", "There is no such act.")
