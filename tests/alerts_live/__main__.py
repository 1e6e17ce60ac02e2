"""`make alerts-live`: what an installation suffers reaches a webhook as an alert, and ends there.

Real processes, servers, Prometheus and Alertmanager with the repository's rules and routes; X is
the fake. Alerts on the world look back a 120th of their time. Prints one JSON document; exits with
1 where an alert was late, did not end, or told more than it should.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec

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
    Webhook,
    missing_tools,
    running_alertmanager,
    running_prometheus,
    webhook,
)
from tests.observability_files import OBSERVABILITY
from tests.stack import isolated, migrated_template, running_servers
from tests.x_server.server import fake_x

_FASTER: Final = 120.0
_QUIET_S: Final = 100.0
_SLACK_S: Final = 45.0
"""For scrapes, evaluations, groups of alerts, and a machine that does other things."""

_DRIFT: Final = (
    "INSERT INTO alarms (alarm_id, run, rule, signal, subject, kind, detector, model_sha256, since,"
    " window_start, window_end, value, reference, tweets, false_alarms_per_year)"
    " VALUES (md5('drift'), 'live', 'cats', 'confidence', '', 'model', 'by hand', '', now(), now(),"
    " now(), 0.6, 0.9, 100, 1)"
)
_DRIFT_ENDS: Final = "UPDATE alarms SET ended_at = now(), ended_window_start = now(),\
 ended_window_end = now(), ended_value = 0.9"


@dataclass(frozen=True)
class Case:
    """A fault, the alert that it raises within `promise_s`, and how it ends."""

    what: str
    alert: str
    promise_s: float
    begin: Callable[[Installation], None]
    end: Callable[[Installation], None]
    also: tuple[str, ...] = ()
    """Other alerts that the same fault rightly raises."""


@dataclass(frozen=True)
class Seen:
    """When the webhook heard of a case, in seconds after it began and after it ended."""

    what: str
    alert: str
    receiver: str
    promise_s: float
    fired_after_s: float
    resolved_after_s: float
    pages: list[str]
    """Every page that was told meanwhile; one of the case's own is all that there should be."""

    ok: bool


def _surge(installation: Installation) -> None:
    installation.post(12, bad=True)


_CASES: Final = (
    Case(
        "people post six times as much",
        "MurmurRuleSurge",
        5,
        _surge,
        lambda i: i.post(2),
        also=("MurmurRuleNegative",),
    ),
    Case(
        "scoring killed",
        "MurmurProcessDown",
        60,
        lambda i: i.kill("score"),
        lambda i: i.start("score"),
    ),
    Case(
        "PostgreSQL stopped",
        "MurmurPostgresAway",
        60,
        lambda i: i.stop_server("postgres"),
        lambda i: i.start_server("postgres"),
    ),
    Case(
        "Kafka stopped",
        "MurmurKafkaAway",
        60,
        lambda i: i.stop_server("kafka"),
        lambda i: i.start_server("kafka"),
    ),
    Case(
        "10,000 poison messages",
        "MurmurHeld",
        60,
        lambda i: i.poison(10_000),
        lambda i: i.release(),
    ),
    Case(
        "an alarm of the watch about the model",
        "MurmurModelDrift",
        300,
        lambda i: i.sql(_DRIFT),
        lambda i: i.sql(_DRIFT_ENDS),
    ),
    Case(
        "X refuses connections",
        "MurmurStreamDisconnected",
        300,
        lambda i: i.refuse(True),
        lambda i: i.refuse(False),
        also=("MurmurRuleSilent",),
    ),
)


def try_case(case: Case, installation: Installation, hook: Webhook) -> Seen:
    """Begin, wait for the alert, end, and wait until the webhook hears that it is over."""
    began_s = now_s()
    case.begin(installation)
    fired = wait_until(
        lambda: hook.first(case.alert, "firing", began_s), case.promise_s + 300, case.alert
    )
    ended_s = now_s()
    case.end(installation)
    resolved = wait_until(
        lambda: hook.first(case.alert, "resolved", ended_s), 600, f"the end of {case.alert}"
    )
    pages = sorted(
        {
            told.alert
            for told in hook.told
            if told.receiver == "pages" and told.status == "firing" and told.at_s >= began_s
        }
    )
    fired_after_s = fired.at_s - began_s
    return Seen(
        case.what,
        case.alert,
        fired.receiver,
        case.promise_s,
        round(fired_after_s, 1),
        round(resolved.at_s - ended_s, 1),
        pages,
        ok=fired_after_s <= case.promise_s + _SLACK_S and set(pages) <= {case.alert, *case.also},
    )


def quiet(installation: Installation, hook: Webhook, seconds: float) -> list[str]:
    """Let time pass with one disconnect, as each night has one; return what was paged."""
    began_s = now_s()
    wait_until(lambda: now_s() - began_s > seconds / 2, seconds, "half of the quiet")
    installation.disconnect()
    wait_until(lambda: now_s() - began_s > seconds, seconds, "the quiet")
    return [told.alert for told in hook.told if told.receiver == "pages"]


def main() -> int:
    """Try all cases, one after the other; return the exit code."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet-s", type=float, default=_QUIET_S, help="how long nothing happens")
    parser.add_argument("alerts", nargs="*", help="try these alone; without any: all")
    asked = parser.parse_args()
    missing = missing_tools()
    if missing:
        print(f"missing: {', '.join(missing)}; {INSTALL}", file=sys.stderr)  # noqa: T201
        return 2
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
        write_faster_rules(OBSERVABILITY / "rules", rules, by=_FASTER)
        with (
            running_installation(settings_for(x, settings, folder), x, folder) as installation,
            running_alertmanager(folder, OBSERVABILITY / "alertmanager.yml", hook) as alertmanager,
            running_prometheus(
                folder, installation.targets, rules=rules, alertmanager=alertmanager
            ),
        ):
            paged_in_quiet = quiet(installation, hook, asked.quiet_s)
            print(f"quiet: {paged_in_quiet}", file=sys.stderr)  # noqa: T201
            seen = []
            for case in _CASES:
                if not asked.alerts or case.alert in asked.alerts:
                    seen.append(try_case(case, installation, hook))
                    print(seen[-1], file=sys.stderr)  # noqa: T201
    heard = sorted({f"{told.receiver}: {told.alert}" for told in hook.told})
    ok = not paged_in_quiet and all(each.ok for each in seen)
    summary = {
        "quiet_s": asked.quiet_s,
        "paged_in_quiet": paged_in_quiet,
        "cases": [asdict(each) for each in seen],
        "heard": heard,
        "load_average": load_average(),
        "ok": ok,
    }
    print(msgspec.json.format(msgspec.json.encode(summary)).decode())  # noqa: T201
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
