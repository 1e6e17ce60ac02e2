"""Rules on the world look back hours and days: for a run of minutes their times are divided."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

WORLD: Final = 120.0
GROUPS: Final = {"murmur-world": WORLD, "murmur-world-recording": WORLD}
"""By how much the times of these groups are divided."""
ALERTS: Final = {
    "murmur:sink_confidence:mean1h": WORLD,
    "MurmurConfidenceDrop": WORLD,
    "MurmurModelOld": WORLD,
    "MurmurNotAudited": WORLD,
    "MurmurPromotedNotServed": WORLD,
    "MurmurGapUnfilled": WORLD,
    "MurmurExpiredUnread": 60.0,
    "MurmurRulesMissing": 6.0,
    "MurmurRestartsOften": 5.0,
    "MurmurRedisAway": 5.0,
    "MurmurDiskFull": 5.0,
}
"""And of these single rules; all others keep their times."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_IN_EXPR = re.compile(
    r"(?<=\[)(\d+)([smhd])(?=\])|(?<=\[)(\d+)([smhd])(?=:)|(?<=offset )(\d+)([smhd])"
)


def write_faster_rules(rules: Path, to: Path) -> None:
    """Copy the rules; those of `GROUPS` and `ALERTS` look back, and wait, a part of their time."""
    for file in sorted(rules.glob("*.yml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in document["groups"]:
            group["rules"] = [
                _faster(rule, by) if by else rule
                for rule in group["rules"]
                for by in [GROUPS.get(group["name"]) or ALERTS.get(_name(rule))]
            ]
        (to / file.name).write_text(yaml.safe_dump(document), encoding="utf-8")


def _name(rule: dict[str, Any]) -> str:
    return str(rule.get("alert") or rule.get("record"))


def _faster(rule: dict[str, Any], by: float) -> dict[str, Any]:
    changed = dict(rule)
    changed["expr"] = _IN_EXPR.sub(
        lambda found: _shrunk(
            next(filter(None, found.groups()[::2])), next(filter(None, found.groups()[1::2])), by
        ),
        rule["expr"],
    )
    if "for" in rule:
        changed["for"] = _shrunk(rule["for"][:-1], rule["for"][-1], by)
    return changed


def _shrunk(number: str, unit: str, by: float) -> str:
    return f"{max(1, round(int(number) * _UNITS[unit] / by))}s"
