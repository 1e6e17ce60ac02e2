"""The rules, their tests and runbooks as they lie in the repository, and what is wrong there."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.process.metric_list import METRICS

OBSERVABILITY: Final = Path(__file__).parents[1] / "deploy" / "observability"
OF_PROMETHEUS: Final = frozenset({"up", "ALERTS"})

_METRIC = re.compile(r"\b(?:murmur|sentiment|process|model)_\w+")
_RECORDED = re.compile(r"\b\w+:\w+:\w+\b")
_QUOTED = re.compile(r'"[^"]*"')
_PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Rule:
    """A rule of a file: `alert` or `record` is its name."""

    name: str
    is_alert: bool
    expr: str
    annotations: dict[str, str]
    severity: str
    file: str


def rules(folder: Path = OBSERVABILITY / "rules") -> list[Rule]:
    """Return every rule."""
    return [
        Rule(
            name=rule.get("alert") or rule["record"],
            is_alert="alert" in rule,
            expr=rule["expr"],
            annotations=rule.get("annotations", {}),
            severity=rule.get("labels", {}).get("severity", ""),
            file=file.name,
        )
        for file in sorted(folder.glob("*.yml"))
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def unknown_metrics(expr: str, recorded: Iterable[str]) -> list[str]:
    """Return what a query names and nobody exposes or records, sorted."""
    known = {spec.name: spec for spec in METRICS}
    bare = _QUOTED.sub('""', expr)
    named = set(_METRIC.findall(_RECORDED.sub("", bare)))
    unknown = {
        name
        for name in named
        if name not in known
        and not any(
            name.endswith(part)
            and name.removesuffix(part) in known
            and known[name.removesuffix(part)].kind == "histogram"
            for part in _PARTS
        )
    }
    return sorted(unknown | (set(_RECORDED.findall(bare)) - set(recorded)))


def faults(folder: Path = OBSERVABILITY) -> Iterator[str]:
    """Yield a sentence for everything that is missing or that nobody exposes."""
    found = rules(folder / "rules")
    recorded = [rule.name for rule in found if not rule.is_alert]
    tests = "\n".join(
        file.read_text(encoding="utf-8") for file in (folder / "rules" / "tests").glob("*.yml")
    )
    for rule in found:
        for name in unknown_metrics(rule.expr, recorded):
            yield f"{rule.file}: {rule.name} asks for {name}, which is not in the metric list"
        if rule.is_alert:
            yield from _of_alert(rule, folder, tests)
    alerts = {rule.name for rule in found if rule.is_alert}
    for page in sorted((folder / "runbooks").glob("*.md")):
        if page.stem not in alerts:
            yield f"runbooks/{page.name} is of no alert"
    for name in sorted(set(re.findall(r"\bMurmur[A-Z]\w+", _routes(folder))) - alerts):
        yield f"alertmanager.yml names {name}, which is no alert"


def _of_alert(rule: Rule, folder: Path, tests: str) -> Iterator[str]:
    if not (folder / "runbooks" / f"{rule.name}.md").is_file():
        yield f"{rule.file}: {rule.name} has no runbook"
    if rule.annotations.get("runbook_url") != f"runbooks/{rule.name}.md":
        yield f"{rule.file}: {rule.name} does not name its runbook"
    if rule.severity not in ("page", "ticket", "info"):
        yield f"{rule.file}: {rule.name} goes to nobody"
    for needed in ("summary", "description"):
        if not rule.annotations.get(needed):
            yield f"{rule.file}: {rule.name} has no {needed}"
    for what in ("fires", "is silent"):
        if f'name: "{rule.name} {what}' not in tests:
            yield f"{rule.file}: no test says when {rule.name} {what}"


def _routes(folder: Path) -> str:
    config: dict[str, Any] = yaml.safe_load((folder / "alertmanager.yml").read_text("utf-8"))
    inhibited = [
        matcher
        for rule in config["inhibit_rules"]
        for key in ("source_matchers", "target_matchers")
        for matcher in rule[key]
    ]
    # Written as one word with alternatives: Murmur(A|B) names MurmurA and MurmurB.
    return re.sub(
        r"Murmur\(([\w|]+)\)",
        lambda names: " ".join(f"Murmur{name}" for name in names[1].split("|")),
        " ".join(inhibited),
    )
