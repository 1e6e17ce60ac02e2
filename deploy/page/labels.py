"""Labelling: the queue and the audits in one place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.page.forms import read_form, whole_number
from deploy.page.label_looks import in_order
from deploy.page.page_sources import PageSources
from deploy.page.rendering import SENT_BY_HTMX, Pages, page_answer
from deploy.page.view_address import view_of
from deploy.web.access.browser import PAGE
from model_server.http.caller import caller_of
from model_server.http.problems import Refused
from retrain.labels.annotation.desk import AtDesk, Desk, Place, Seat
from retrain.labels.annotation.label_keys import keys_of
from retrain.labels.annotation.session import AnswerKind
from retrain.labels.audits_needed import WANTED_HALF_WIDTH, audits_needed, half_width_now
from retrain.labels.measure_agreement import RunAgreement, measure_agreement
from retrain.labels.run_labels import labels_of_run
from schemas.known_runs import UnknownRun, require_run

_KINDS: Final = ("queue", "audits", "second")


def labels_router(pages: Pages, sources: PageSources) -> APIRouter:
    """Return the routes. They wait for PostgreSQL, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)
    desk = Desk(sources.lend, lambda: datetime.now(UTC))

    def desk_values(run: str, seat: Seat, kind: str, note: str = "") -> dict[str, Any]:
        with sources.lend() as connection, connection, connection.cursor() as cur:
            keys = keys_of(labels_of_run(cur, run))
        return {"seat": seat, "kind": kind, "keys": keys, "note": note, **_seen(desk.look(seat))}

    @router.get(f"{PAGE}/labels")
    def labels(request: Request) -> Response:
        try:
            run = sources.run_of(view_of(request.query_params))
        except UnknownRun as unknown:
            return pages.answer(request, "no_runs.html", active="labels", reason=str(unknown))
        seat, kind = _seat(request, run, request.query_params)
        with sources.lend() as connection:
            require_run(connection, run)
        return pages.answer(
            request,
            "labels.html",
            active="labels",
            runs=sources.runs(),
            kinds=_KINDS,
            agreement=_agreement(sources, run),
            address_of=_address,
            **desk_values(run, seat, kind),
        )

    @router.post(f"{PAGE}/labels")
    async def answer(request: Request) -> Response:
        fields = await read_form(request)
        return await to_thread.run_sync(_do, request, fields)

    def _do(request: Request, fields: Mapping[str, str]) -> Response:
        run = fields.get("run", "")
        with sources.lend() as connection:
            require_run(connection, run)
        seat, kind = _seat(request, run, fields)
        note = _act(desk, sources, seat, fields)
        if SENT_BY_HTMX not in request.headers:
            return RedirectResponse(_address(seat, kind), status_code=303)
        html = pages.html(request, "labels_desk.html", **desk_values(run, seat, kind, note))
        return page_answer(request, html)

    return router


def _act(desk: Desk, sources: PageSources, seat: Seat, fields: Mapping[str, str]) -> str:
    """Do what a form asks for and return the name of what is to be said of it."""
    act = fields.get("do", "")
    if act == "undo":
        return "" if desk.undo(seat) else "nothing_to_undo"
    if act == "draw":
        desk.draw(seat)
        return ""
    place = Place(
        fields.get("tweet", ""),
        whole_number(fields.get("repeat", "")),
        whole_number(fields.get("version", "")),
    )
    if act == "skip":
        return "" if desk.skip(seat, place) else "not_that_one"
    label = None if act == "unsure" else fields.get("label", "")
    with sources.lend() as connection, connection, connection.cursor() as cur:
        known = labels_of_run(cur, seat.run)
    if label is not None and label not in known:
        raise Refused(422, "unknown-label", "There is no such label.", "Open the page anew.")
    return "" if desk.label(seat, place, label) else "not_that_one"


def _seen(at: AtDesk) -> dict[str, Any]:
    audits = sum(at.progress.audits.values())
    needed = audits_needed(at.progress.audits)
    last = None if at.last is None else _said(at.last.kind, at.last.label)
    return {
        "asked": at.asked,
        "progress": at.progress,
        "audits_by_label": [
            (label, at.progress.audits[label]) for label in in_order(at.progress.audits)
        ],
        "drawn": at.drawn,
        "done": at.drawn - at.progress.left,
        "last": last,
        "audits": audits,
        "needed": needed,
        "half_width": half_width_now(at.progress.audits),
        "wanted": WANTED_HALF_WIDTH,
    }


def _said(kind: AnswerKind, label: str | None) -> tuple[str, str]:
    return kind.value, label or ""


def _seat(request: Request, run: str, fields: Mapping[str, str] | QueryParams) -> tuple[Seat, str]:
    kind = fields.get("kind", "")
    kind = kind if kind in _KINDS else "queue"
    rule = fields.get("rule", "")
    if len(rule) > 200:
        raise Refused(422, "invalid", "A parameter is wrong.", "rule is too long.")
    seat = Seat(
        labeller=caller_of(request).name,
        run=run,
        rule=rule or None,
        audits_only=kind == "audits",
        second_opinion=kind == "second",
    )
    return seat, kind


def _address(seat: Seat, kind: str) -> str:
    pairs = {"run": seat.run, "kind": kind} | ({"rule": seat.rule} if seat.rule else {})
    return f"{PAGE}/labels?{urlencode(pairs)}"


def _agreement(sources: PageSources, run: str) -> RunAgreement:
    def ask() -> RunAgreement:
        with sources.lend() as connection, connection, connection.cursor() as cur:
            return measure_agreement(cur, run)

    return sources.shared.get(("agreement", run), ask)
