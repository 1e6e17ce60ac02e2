"""`make alerts-live`: what an installation suffers reaches a webhook as an alert, and ends there.

Real processes, servers, Prometheus and Alertmanager with the repository's rules and routes; X is
the fake. First a quiet time with one disconnect, as each night has one: it may page nobody. Then
the cases, each in an installation that is calm again. Alerts on the world, and those whose windows
are of hours, look back a part of their time (`faster_rules.py`). Prints a table, or one JSON
document; exits with 1 where an alert was late, did not end, or told more than it should.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg2
import yaml
from confluent_kafka import KafkaException

from schemas.failures import Failure
from tests.alerts_live.cases import CASES, NOT_RAISED, Case
from tests.alerts_live.faster_rules import write_faster_rules
from tests.alerts_live.installation import (
    Installation,
    load_average,
    now_s,
    running_installation,
)
from tests.conditions import wait_until
from tests.integration.live_stream import TOKEN, settings_for
from tests.monitoring import (
    INSTALL,
    Prometheus,
    Told,
    Webhook,
    missing_tools,
    running_alertmanager,
    running_prometheus,
    webhook,
)
from tests.observability_files import OBSERVABILITY
from tests.stack import isolated, migrated_template, running_servers
from tests.x_server.server import fake_x

_QUIET_MINUTES: Final = 2.0
_SLACK_S: Final = 45.0
"""For scrapes, evaluations, groups of alerts, and a machine that does other things."""
_PATIENCE_S: Final = 120.0
"""How much later than promised an alert is still waited for: it is late, and said to be."""
_OVER_WITHIN_S: Final = 240.0
_CALM_S: Final = 5.0
_CALM_WITHIN_S: Final = 240.0
_WITHIN_MINUTES: Final = 25.0
_EVERY: Final = "2s"
"""How often Prometheus asks: a process on a busy machine may take a second to answer."""
_FAULTS: Final = (
    AssertionError,
    OSError,
    ValueError,
    subprocess.SubprocessError,
    xmlrpc.client.Error,
    psycopg2.Error,
    KafkaException,
    Failure,
)
"""What may go wrong with one case; the others are tried all the same."""


@dataclass(frozen=True)
class Seen:
    """When the webhook heard of a case's alerts, in seconds after it began and after it ended.

    None where it did not. `pages` are all that were told until the installation was calm again.
    """

    what: str
    alerts: tuple[str, ...]
    receivers: list[str]
    promise_s: float
    fired_after_s: float | None
    resolved_after_s: float | None
    pages: list[str]
    ok: bool
    fault: str = ""


class Trial:
    """One installation, and who watches it."""

    def __init__(self, installation: Installation, prometheus: Prometheus, hook: Webhook) -> None:
        self._installation = installation
        self._prometheus = prometheus
        self._hook = hook

    def quiet(self, seconds: float) -> list[str]:
        """Let time pass with one disconnect, as each night has one; return what was paged."""
        began_s = now_s()
        wait_until(lambda: now_s() - began_s > seconds / 2, seconds, "half of the quiet")
        self._installation.disconnect()
        wait_until(lambda: now_s() - began_s > seconds, seconds, "the quiet")
        return [told.alert for told in self._hook.told if told.receiver == "pages"]

    def try_case(self, case: Case) -> Seen:
        """Begin, wait for the alerts, end, and wait until all is calm again."""
        began_s = now_s()
        fired_after_s = resolved_after_s = None
        fault = ""
        try:
            case.begin(self._installation)
            fired = [
                self._await_firing(alert, began_s, case.promise_s + _PATIENCE_S)
                for alert in case.alerts
            ]
            fired_after_s = max(told.at_s for told in fired) - began_s
        except _FAULTS as error:
            fault = _in_a_line(error)
        ended_s = now_s()
        try:
            case.end(self._installation)
            wait_until(
                lambda: all(self._is_over(alert, began_s) for alert in case.alerts),
                _OVER_WITHIN_S,
                f"the end of {', '.join(case.alerts)}",
            )
            resolved_after_s = (
                max(told.at_s for told in self._told(began_s) if told.alert in case.alerts)
                - ended_s
            )
            self._await_calm()
        except _FAULTS as error:
            fault = fault or _in_a_line(error)
        told = self._told(began_s)
        pages = {t.alert for t in told if t.receiver == "pages" and t.status == "firing"}
        return Seen(
            case.what,
            case.alerts,
            sorted({t.receiver for t in told if t.alert in case.alerts}),
            case.promise_s,
            _rounded(fired_after_s),
            _rounded(resolved_after_s),
            sorted(pages),
            ok=not fault
            and fired_after_s is not None
            and fired_after_s <= case.promise_s + _SLACK_S
            and pages <= {*case.alerts, *case.also},
            fault=fault,
        )

    def _await_firing(self, alert: str, since_s: float, most_s: float) -> Told:
        return wait_until(
            lambda: self._hook.first(alert, "firing", since_s), most_s, f"{alert} at the webhook"
        )

    def _told(self, since_s: float) -> list[Told]:
        return [told for told in list(self._hook.told) if told.at_s >= since_s]

    def _is_over(self, alert: str, since_s: float) -> bool:
        """Tell whether the last that was said of each of an alert's series is that it is over."""
        last = {
            tuple(sorted(told.labels.items())): told.status
            for told in self._told(since_s)
            if told.alert == alert
        }
        active = self._active()
        return set(last.values()) <= {"resolved"} and active is not None and alert not in active

    def _active(self) -> dict[str, str] | None:
        """Return what fires or is about to, with its severity; None where that is not told."""
        try:
            alerts = self._prometheus.alerts()
        except OSError:
            return None
        return {each["labels"]["alertname"]: each["labels"]["severity"] for each in alerts}

    def _await_calm(self) -> None:
        """Wait until nothing pages, or is about to: the next case shall not see this one's rest."""
        calm_since_s = now_s()

        def calm() -> bool:
            nonlocal calm_since_s
            active = self._active()
            if active is None or "page" in active.values():
                calm_since_s = now_s()
            return now_s() - calm_since_s > _CALM_S

        wait_until(calm, _CALM_WITHIN_S, "nothing to page any more")


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def main() -> int:
    """Try all cases, one after the other; return the exit code."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quiet-minutes", type=float, default=_QUIET_MINUTES, help="how long nothing happens"
    )
    parser.add_argument(
        "--within-minutes",
        type=float,
        default=_WITHIN_MINUTES,
        help="after the quiet time; cases that do not begin in it are not tried",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, no table")
    parser.add_argument("--keep", type=Path, help="keep what was said and logged in this folder")
    parser.add_argument("alerts", nargs="*", help="try these alone; without any: all")
    asked = parser.parse_args()
    missing = missing_tools()
    if missing:
        print(f"missing: {', '.join(missing)}; {INSTALL}", file=sys.stderr)  # noqa: T201
        return 2
    cases = [case for case in CASES if not asked.alerts or set(asked.alerts) & set(case.alerts)]
    said = _Said()
    try:
        _try_all(cases, asked, said)
    finally:
        # Also where it is interrupted: what was seen until then was seen.
        summary = said.summary(cases, asked.quiet_minutes)
        printed = msgspec.json.format(msgspec.json.encode(summary)).decode()
        print(printed if asked.json else "\n".join(table(summary)))  # noqa: T201
    return 0 if summary["ok"] else 1


@dataclass
class _Said:
    """What a run has seen so far; `paged_in_quiet` is None before the quiet time is over."""

    paged_in_quiet: list[str] | None = None
    seen: list[Seen] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    cases_took_s: float = 0.0

    def summary(self, cases: Sequence[Case], quiet_minutes: float) -> dict[str, Any]:
        """Return it as a document; it is well only if every case was tried and was."""
        tried = {each.what for each in self.seen}
        untried = [case.what for case in cases if case.what not in tried]
        return {
            "quiet_minutes": quiet_minutes,
            "paged_in_quiet": self.paged_in_quiet,
            "cases": [asdict(each) for each in self.seen],
            "cases_took_s": round(self.cases_took_s),
            "untried": untried,
            "heard": sorted(self.heard),
            "not_heard": {
                alert: NOT_RAISED.get(alert, "not tried, or not raised")
                for alert in alert_names()
                if alert not in self.heard
            },
            "load_average": load_average(),
            "ok": self.paged_in_quiet == [] and not untried and all(each.ok for each in self.seen),
        }


def _try_all(cases: Sequence[Case], asked: argparse.Namespace, said: _Said) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
        fake_x(TOKEN, heartbeat_s=0.3) as x,
        webhook() as hook,
    ):
        folder = Path(name)
        rules = folder / "rules"
        rules.mkdir()
        write_faster_rules(OBSERVABILITY / "rules", rules)
        with (
            running_installation(settings_for(x, settings, folder), x, folder) as installation,
            running_alertmanager(folder, OBSERVABILITY / "alertmanager.yml", hook) as alertmanager,
            running_prometheus(
                folder, installation.targets, rules=rules, every=_EVERY, alertmanager=alertmanager
            ) as prometheus,
        ):
            trial = Trial(installation, prometheus, hook)
            said.paged_in_quiet = trial.quiet(asked.quiet_minutes * 60)
            print(f"quiet: {said.paged_in_quiet}", file=sys.stderr)  # noqa: T201
            began_s = now_s()
            for case in cases:
                if now_s() - began_s < asked.within_minutes * 60:
                    said.seen.append(trial.try_case(case))
                    said.heard |= {told.alert for told in hook.told}
                    said.cases_took_s = now_s() - began_s
                    print(said.seen[-1], file=sys.stderr, flush=True)  # noqa: T201
        if asked.keep:
            shutil.copytree(folder, asked.keep, ignore=shutil.ignore_patterns("prometheus"))
            (asked.keep / "told.json").write_bytes(msgspec.json.encode(hook.told))


def alert_names() -> list[str]:
    """Return every alert of the repository's rules."""
    return sorted(
        rule["alert"]
        for file in (OBSERVABILITY / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    )


def table(summary: dict[str, Any]) -> list[str]:
    """Return what was seen as Markdown."""
    lines = [
        (
            f"quiet for {summary['quiet_minutes']:g} min with one disconnect; paged:"
            f" {_names(summary['paged_in_quiet'])}"
        ),
        "",
        "| what | alert | promised s | fired s | resolved s | pages | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {case['what']} | {', '.join(case['alerts'])} | {case['promise_s']:g}"
        f" | {case['fired_after_s']} | {case['resolved_after_s']}"
        f" | {', '.join(case['pages']) or 'none'} | {'ok' if case['ok'] else 'WRONG'}"
        f"{': ' + case['fault'] if case['fault'] else ''} |"
        for case in summary["cases"]
    ]
    lines += [f"| {what} | | | | | | NOT TRIED |" for what in summary["untried"]]
    lines += [
        "",
        f"the cases took {summary['cases_took_s'] / 60:.1f} min",
        (
            f"heard of: {len(summary['heard'])} of {len(alert_names())} alerts; load average"
            f" {summary['load_average']:.0f}"
        ),
    ]
    lines += [f"not heard: {alert} ({why})" for alert, why in summary["not_heard"].items()]
    return lines


def _names(paged: list[str] | None) -> str:
    return "not finished" if paged is None else ", ".join(paged) or "nobody"


if __name__ == "__main__":
    sys.exit(main())
