"""A dashboard as we write it, and as Grafana (11 and later) reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Json = dict[str, Any]
PanelKind = Literal["timeseries", "stat", "table", "barchart", "heatmap"]

PROMETHEUS: Final = {"type": "prometheus", "uid": "murmur-prometheus"}
POSTGRES: Final = {"type": "grafana-postgresql-datasource", "uid": "murmur-postgres"}
_COLUMNS: Final = 24


@dataclass(frozen=True)
class PromQL:
    """A query to Prometheus; `legend` names a series by its labels, as `{{stage}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Sql:
    """A query to PostgreSQL, of the schema `reading` alone.

    `$__timeFrom()` and `$__timeTo()` are the ends of the span that is shown, `${run:sqlstring}` the
    chosen run. With `over_time` its first column is a `time`.
    """

    text: str
    over_time: bool = False


@dataclass(frozen=True)
class Panel:
    """What is shown of one question. `unit` is Grafana's id of a unit; `width` is of 24 columns."""

    title: str
    queries: tuple[PromQL | Sql, ...]
    about: str
    kind: PanelKind = "timeseries"
    unit: str = "short"
    width: int = 8
    matrix: tuple[str, str, str] | None = None
    """Of a table: which columns become its rows, its columns and its cells, coloured by value."""


@dataclass(frozen=True)
class Dashboard:
    """Rows of panels; the `uid` stays for ever, since links hold it."""

    uid: str
    title: str
    about: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    chooses_run: bool = False
    shows: str = "now-6h"

    @property
    def panels(self) -> Iterator[Panel]:
        """Every panel."""
        for _, panels in self.rows:
            yield from panels


def to_grafana(dashboard: Dashboard) -> Json:
    """Return what Grafana's provisioning reads; the same dashboard is the same document."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["murmur"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": dashboard.shows, "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_run_variable()] if dashboard.chooses_run else []},
        "panels": list(_placed(dashboard.rows)),
    }


def _run_variable() -> Json:
    query = "SELECT run FROM reading.runs ORDER BY kind, started_at DESC"
    return {
        "name": "run",
        "label": "Run",
        "type": "query",
        "datasource": POSTGRES,
        "query": query,
        "definition": query,
        "refresh": 2,
        "current": {"text": "live", "value": "live"},
    }


def _placed(rows: Sequence[tuple[str, tuple[Panel, ...]]]) -> Iterator[Json]:
    number, top = 1, 0
    for title, panels in rows:
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": {"h": 1, "w": _COLUMNS, "x": 0, "y": top},
            "panels": [],
        }
        number, top, left, height = number + 1, top + 1, 0, 0
        for panel in panels:
            if left + panel.width > _COLUMNS:
                top, left = top + height, 0
            height = 4 if panel.kind == "stat" else 8
            place = {"h": height, "w": panel.width, "x": left, "y": top}
            yield _panel(panel, number, place)
            number, left = number + 1, left + panel.width
        top += height


def _panel(panel: Panel, number: int, place: Json) -> Json:
    defaults: Json = {"unit": panel.unit}
    if panel.matrix is not None:
        defaults |= {
            "color": {"mode": "continuous-BlPu"},
            "custom": {"cellOptions": {"type": "color-background", "mode": "gradient"}},
        }
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "gridPos": place,
        "datasource": _source(panel.queries[0]),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel),
        "targets": [
            _target(query, chr(ord("A") + index), panel.kind)
            for index, query in enumerate(panel.queries)
        ],
        "transformations": _transformations(panel),
    }


def _options(panel: Panel) -> Json:
    match panel.kind:
        case "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
        case "timeseries":
            return {"legend": {"displayMode": "list", "placement": "bottom"}}
        case "heatmap":
            return {"calculate": False, "color": {"mode": "scheme", "scheme": "Blues"}}
        case _:
            return {}


def _transformations(panel: Panel) -> list[Json]:
    if panel.matrix is None:
        return []
    rows, columns, cells = panel.matrix
    options = {"rowField": rows, "columnField": columns, "valueField": cells, "emptyValue": "zero"}
    return [{"id": "groupingToMatrix", "options": options}]


def _source(query: PromQL | Sql) -> Json:
    return PROMETHEUS if isinstance(query, PromQL) else POSTGRES


def _target(query: PromQL | Sql, name: str, kind: PanelKind) -> Json:
    target: Json = {"refId": name, "datasource": _source(query)}
    if isinstance(query, PromQL):
        target |= {"expr": query.expr, "legendFormat": query.legend or "__auto"}
        if kind == "heatmap":
            target["format"] = "heatmap"
        if kind in ("stat", "table", "barchart"):
            target |= {"instant": True}
        return target
    return target | {
        "rawSql": query.text,
        "rawQuery": True,
        "editorMode": "code",
        "format": "time_series" if query.over_time else "table",
    }
