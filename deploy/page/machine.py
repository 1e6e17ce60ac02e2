"""The machine: what runs, how far it is behind, and what waits for somebody to decide."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import yaml
from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.embedded.status import Status
from deploy.page.forms import read_form, whole_number
from deploy.page.page_sources import PageSources
from deploy.page.questions import Question, ask
from deploy.page.rates import Rates
from deploy.page.rendering import Pages, page_answer
from deploy.web.access.browser import PAGE
from deploy.web.operations import Operations
from model_server.http.problems import Refused
from producers.gaps.refill_estimate import estimated_posts
from producers.gaps.table import KnownGap
from producers.rules.rule_changes import PlanChanged
from producers.x_account.posts_read_sql import posts_read_since_first
from schemas.failures import Failure
from stream_processors.dead_letters.discard import discard
from stream_processors.dead_letters.letter_groups import waiting_groups
from stream_processors.dead_letters.letters import Selection, count_letters, newest_letters

_ACT: Final = f"{PAGE}/machine/act"
_MOST_LETTERS: Final = 20
_MOST_GAPS: Final = 50
_MOST_CHARS: Final = 200
_MOST_RULES_CHARS: Final = 2_000_000


class MachinePages:
    """Reads what the page of the machine shows."""

    def __init__(self, sources: PageSources, operations: Operations) -> None:
        self.sources = sources
        self.operations = operations
        self._rates = Rates()

    def values(self) -> dict[str, Any]:
        """Return what is shown; what PostgreSQL does not tell has a sentence of its own."""
        told = {
            **self.state(),
            "monthly_posts": self.operations.monthly_posts,
            "has_token": self.operations.has_token(),
        }
        try:
            return {**told, **self._stored(), "is_stored_known": True}
        except Failure:
            # Its message names hosts and users, and is in the log of every other question.
            return {**told, "is_stored_known": False}

    def state(self) -> dict[str, Any]:
        """Return how the machine is; what a server does not tell has a sentence of its own."""
        hold, hold_fault = self.sources.shared.get("hold", self.operations.hold)
        return {**self._state(), "hold": hold, "hold_fault": hold_fault}

    def _state(self) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            found: Status = self.operations.status()
            lag, lag_fault = found.lag, found.lag_fault
            if lag is None and not lag_fault:
                try:
                    lag = tuple(self.operations.lags())
                except Failure as fault:
                    lag_fault = str(fault)
            now = datetime.now(UTC)
            return {
                "stack": found,
                "lag": lag,
                "lag_fault": lag_fault,
                "rates": {
                    (each.group, each.topic): self._rates.note(
                        (each.group, each.topic), each.lag, now
                    )
                    for each in lag or ()
                },
            }

        return self.sources.shared.get("machine", read)

    def _stored(self) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            now = datetime.now(UTC)
            with self.sources.lend() as connection, connection, connection.cursor() as cur:
                groups = waiting_groups(cur)
                letters = newest_letters(cur, Selection(), _MOST_LETTERS)
                month = sum(posts_read_since_first(cur, now.date()).values())
                cur.execute(
                    "SELECT gap_id, from_at, to_at, reason, status, refilled_until,"
                    " posts_refilled, detail FROM stream_gaps ORDER BY from_at DESC LIMIT %s",
                    (_MOST_GAPS,),
                )
                gaps = [KnownGap(*row) for row in cur.fetchall()]
                estimates = {gap.gap_id: estimated_posts(cur, gap, now) for gap in gaps}
            return {
                "groups": groups,
                "letters": letters,
                "waiting_letters": sum(group.letters for group in groups),
                "gaps": gaps,
                "estimates": estimates,
                "month_posts": month,
            }

        return self.sources.shared.get("machine stored", read)


def machine_router(pages: Pages, sources: PageSources, operations: Operations) -> APIRouter:
    """Return the routes that show. They wait for servers, so each runs in a thread."""
    router = APIRouter(include_in_schema=False)
    machine_pages = MachinePages(sources, operations)

    @router.get(f"{PAGE}/machine")
    def machine(request: Request) -> Response:
        done = request.query_params.get("done", "")
        return pages.answer(
            request,
            "machine.html",
            active="machine",
            done=done if done in _DONE else "",
            count=request.query_params.get("count", "")[:10],
            **machine_pages.values(),
        )

    @router.get(f"{PAGE}/machine/state")
    def state(request: Request) -> Response:
        """Give the state alone, as the open page asks for it."""
        return page_answer(
            request, pages.html(request, "machine_state.html", **machine_pages.state())
        )

    return router


def machine_acts_router(pages: Pages, sources: PageSources, operations: Operations) -> APIRouter:
    """Return the routes that change something: a question, then the act."""
    router = APIRouter(include_in_schema=False)
    acts = MachineActs(sources, operations)

    @router.get(f"{_ACT}/rules")
    def rules(request: Request) -> Response:
        at_x = operations.rules_at_x()
        text = yaml.safe_dump(
            [{"value": rule.value, "tag": rule.tag or ""} for rule in at_x],
            allow_unicode=True,
            sort_keys=False,
        )
        return pages.answer(
            request, "rules.html", active="machine", rules=at_x, text=text, plan=None, fault=""
        )

    @router.post(f"{_ACT}/rules")
    async def change_rules(request: Request) -> Response:
        fields = await read_form(request)
        return await to_thread.run_sync(_rules, request, fields)

    def _rules(request: Request, fields: Mapping[str, str]) -> Response:
        text = fields.get("rules", "")[:_MOST_RULES_CHARS]
        plan, fault = None, ""
        try:
            if fields.get("do") == "apply":
                operations.apply_rules(text, fields.get("plan", ""))
                return _back("rules")
            plan = operations.plan_rules(text)
        except PlanChanged as changed:
            plan, fault = operations.plan_rules(text), str(changed)
        except Failure as failure:
            fault = str(failure)
        return pages.answer(
            request, "rules.html", active="machine", rules=[], text=text, plan=plan, fault=fault
        )

    @router.get(f"{_ACT}/{{act}}")
    def question(request: Request, act: str) -> Response:
        return ask(pages, request, acts.question(act, request.query_params), "machine")

    @router.post(f"{_ACT}/{{act}}")
    async def do(request: Request, act: str) -> Response:
        fields = await read_form(request)
        return await to_thread.run_sync(acts.do, act, fields)

    return router


class MachineActs:
    """What may be done to the machine, each after a question."""

    def __init__(self, sources: PageSources, operations: Operations) -> None:
        self._sources = sources
        self._operations = operations

    def question(self, act: str, given: Mapping[str, str]) -> Question:
        """Return what is to be asked; raise `Refused` for an act that there is not."""
        if act == "release":
            hold, fault = self._operations.hold()
            return _question(act, {}, ("held", hold.sentence() if hold else fault or "–"))
        if act == "refill":
            return self._refill_question(str(whole_number(given.get("gap", ""))))
        if act not in ("redrive", "discard"):
            raise _no_such_act()
        selection, fields = _selection(given)
        if act == "redrive":
            with self._sources.lend() as connection:
                report = self._operations.redrive(connection, selection, dry_run=True)
            why = "; ".join(sorted({each.why for each in report.refused}))
            refused = f"{len(report.refused):,}" + (f": {why}" if why else "")
            return _question(
                act, fields, ("redriven", f"{len(report.redriven):,}"), ("refused", refused)
            )
        with self._sources.lend() as connection, connection, connection.cursor() as cur:
            count = count_letters(cur, selection)
        letters = f"{count:,}: {_described(fields)}"
        return _question(act, fields, ("letters", letters), dangerous=True, note=True)

    def do(self, act: str, fields: Mapping[str, str]) -> Response:
        """Do it and lead back to the machine."""
        if act == "release":
            self._operations.release()
            return self._done("released")
        if act == "refill":
            done = self._operations.refill(whole_number(fields.get("gap", "")))
            return self._done("refilled", sum(each.posts for each in done))
        if act not in ("redrive", "discard"):
            raise _no_such_act()
        selection, _ = _selection(fields)
        with self._sources.lend() as connection:
            if act == "redrive":
                report = self._operations.redrive(connection, selection, dry_run=False)
                return self._done("redriven", len(report.redriven))
            note = fields.get("because", "").strip()[:_MOST_CHARS]
            return self._done("discarded", len(discard(connection, selection, note)))

    def _done(self, what: str, count: int | None = None) -> Response:
        for kept in ("hold", "machine", "machine stored"):
            self._sources.shared.forget(kept)
        return _back(what, count)

    def _refill_question(self, gap_id: str) -> Question:
        now = datetime.now(UTC)
        gap = next((each for each in self._operations.gaps() if str(each.gap_id) == gap_id), None)
        if gap is None:
            raise Refused(404, "not-there", "There is no such gap.", "It may be closed.")
        with self._sources.lend() as connection, connection, connection.cursor() as cur:
            estimate = estimated_posts(cur, gap, now)
            month = sum(posts_read_since_first(cur, now.date()).values())
        until = f"{gap.to_at:%Y-%m-%d %H:%M}" if gap.to_at else "now"
        return _question(
            "refill",
            {"gap": gap_id},
            ("gap", f"{gap.from_at:%Y-%m-%d %H:%M} – {until} UTC"),
            ("estimate", "not known" if estimate is None else f"{estimate:,}"),
            ("read_this_month", f"{month:,}"),
            ("most_a_month", f"{self._operations.monthly_posts:,}"),
        )


def _question(
    act: str,
    fields: Mapping[str, str],
    *facts: tuple[str, str],
    dangerous: bool = False,
    note: bool = False,
) -> Question:
    return Question(
        name=act,
        action=f"{_ACT}/{act}",
        back=f"{PAGE}/machine",
        fields=fields,
        facts=facts,
        dangerous=dangerous,
        note=note,
    )


def _selection(given: Mapping[str, str]) -> tuple[Selection, dict[str, str]]:
    """Return the letters that a form or an address names, and the fields that name them."""
    if given.get("letter"):
        number = whole_number(given["letter"])
        return Selection(ids=(number,)), {"letter": str(number)}
    fields = {name: given.get(name, "") for name in ("run", "stage", "reason")}
    if not fields["stage"] or any(len(value) > _MOST_CHARS for value in fields.values()):
        raise Refused(422, "invalid", "No dead letters are named.", "Open the page anew.")
    selection = Selection(
        run=fields["run"],
        stage=fields["stage"],
        reason=fields["reason"],
        status="new",
    )
    return selection, fields


def _described(fields: Mapping[str, str]) -> str:
    return ", ".join(value for value in fields.values() if value)


_DONE: Final = frozenset({"released", "refilled", "redriven", "discarded", "rules"})


def _back(done: str, count: int | None = None) -> Response:
    pairs = {"done": done} | ({} if count is None else {"count": str(count)})
    return RedirectResponse(f"{PAGE}/machine?{urlencode(pairs)}", status_code=303)


def _no_such_act() -> Refused:
    return Refused(404, "not-found", "Not Found.", "There is no such act.")
