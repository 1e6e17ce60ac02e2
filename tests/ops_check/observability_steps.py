"""Rules, routes, metric pages and dashboards, by the tools that will read them."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from deploy.observability import prometheus_config
from deploy.observability.dashboards.panels import Dashboard, Panel, PromQL, Sql
from deploy.observability.dashboards.write_dashboards import DASHBOARDS
from deploy.observability.dashboards.write_dashboards import main as write_dashboards
from schemas.events import LIVE
from tests.conditions import wait_until
from tests.observability_files import OBSERVABILITY, faults
from tests.ops_check.live_stack import REPLAYED, LiveStack
from tests.ops_check.step import Shared, Step, StepFailed, need, output_of

_PROMETHEUS: Final = "apt-get install --no-install-recommends prometheus"
_ALERTMANAGER: Final = "apt-get install --no-install-recommends prometheus-alertmanager"
_ROUTES: Final = {"page": "pages", "ticket": "tickets", "info": "news"}
_SERIES_WITHIN_S: Final = 120.0


def check_rules(_shared: Shared) -> str:
    """Rules as promtool reads them, their tests, and the configuration that names them."""
    promtool = need("promtool", _PROMETHEUS)
    wrong = list(faults())
    if wrong:
        raise StepFailed("\n".join(wrong))
    if prometheus_config.main(["--check"]):
        raise StepFailed("prometheus.yml is out of date: run `make generated`")
    rules = sorted((OBSERVABILITY / "rules").glob("*.yml"))
    tests = sorted((OBSERVABILITY / "rules" / "tests").glob("*.yml"))
    output_of([promtool, "check", "rules", "--lint=all", "--lint-fatal", *rules])
    output_of([promtool, "check", "config", OBSERVABILITY / "prometheus.yml"])
    output_of([promtool, "test", "rules", *tests])
    said = sum(file.read_text(encoding="utf-8").count('- name: "') for file in tests)
    return f"{said} tests of rules"


def check_routes(_shared: Shared) -> str:
    """Each severity goes to its receiver."""
    amtool = need("amtool", _ALERTMANAGER)
    config = OBSERVABILITY / "alertmanager.yml"
    output_of([amtool, "check-config", config])
    for severity, receiver in _ROUTES.items():
        output_of(
            [
                *(amtool, "config", "routes", "test", f"--config.file={config}"),
                f"--verify.receivers={receiver}",
                *("alertname=MurmurHeld", f"severity={severity}"),
            ]
        )
    return f"{len(_ROUTES)} routes"


def check_pages(shared: Shared) -> str:
    """The pages of running processes, as promtool reads them."""
    promtool = need("promtool", _PROMETHEUS)
    installation = shared.live.installation
    for page in installation.pages().values():
        output_of([promtool, "check", "metrics"], text=page)
    return f"{len(installation.ports)} pages"


def check_panels(shared: Shared) -> str:
    """Every panel's queries, on a live stack: each returns something."""
    if write_dashboards(["--check"]):
        raise StepFailed("the dashboards are out of date: run `make generated`")
    live = shared.live
    empty: list[str] = []
    asked = 0
    for dashboard, panel, query in _queries():
        asked += 1
        where = f"{dashboard.title}, {panel.title}"
        try:
            wait_until(partial(_has_answer, live, query), _SERIES_WITHIN_S, where)
        except AssertionError as fault:
            empty.append(f"{where}: {fault}\n    {query}")
    if empty:
        raise StepFailed("\n".join(empty))
    return f"{asked} queries of {len(DASHBOARDS)} dashboards"


def _queries() -> Iterator[tuple[Dashboard, Panel, PromQL | Sql]]:
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                yield dashboard, panel, query


def _has_answer(live: LiveStack, query: PromQL | Sql) -> bool:
    if isinstance(query, PromQL):
        series = live.prometheus.query(query.expr.replace("$__rate_interval", "30s"))
        return any(one["value"][1] != "NaN" for one in series)
    return any(live.sql(_filled(query.text, run)) for run in (LIVE, REPLAYED))


def _filled(text: str, run: str) -> str:
    """Return a query as Grafana sends it, over all of the time."""
    for macro, value in (
        ("$__timeFrom()", "'2000-01-01T00:00:00Z'"),
        ("$__timeTo()", "'2100-01-01T00:00:00Z'"),
        ("${run:sqlstring}", "'" + run + "'"),
    ):
        text = text.replace(macro, value)
    return text


STEPS: Final = (
    Step("rules and their tests (promtool)", check_rules),
    Step("routes (amtool)", check_routes),
    Step("metric pages of running processes (promtool)", check_pages),
    Step("every panel's queries on a live stack", check_panels),
)
