"""Rules on the world look back hours and days: for a run of minutes their times are divided."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

WORLD: Final = 100.0
GROUPS: Final = {"murmur-world": WORLD, "murmur-world-recording": WORLD}
"""By how much the times of these groups are divided."""
ALERTS: Final = {
    "murmur:sink_confidence:mean1h": WORLD,
    "MurmurConfidenceDrop": WORLD,
    "MurmurModelOld": 150.0,
    "MurmurNotAudited": 150.0,
    "MurmurPromotedNotServed": 150.0,
    "MurmurGapUnfilled": 150.0,
    "MurmurExpiredUnread": 120.0,
    "MurmurModelDrift": 10.0,
    "MurmurRestartsOften": 9.0,
    "MurmurRedisAway": 10.0,
    "MurmurDiskFull": 10.0,
    "MurmurStreamDisconnected": 10.0,
    "MurmurRulesMissing": 6.0,
    "MurmurStalled": 1.5,
}
"""And of these single rules; all others keep their times."""
RESTS: Final = 6.0
"""By how much the time is divided for which every rule fires on once its cause is over."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_IN_EXPR: Final = re.compile(r"(?<=\[)\d+[smhd](?=[\]:])|(?<=offset )\d+[smhd]")


def write_faster_rules(rules: Path, to: Path) -> None:
    """Copy the rules; those of `GROUPS` and `ALERTS` look back, and wait, a part of their time."""
    for file in sorted(rules.glob("*.yml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in document["groups"]:
            group["rules"] = [
                _faster(rule, GROUPS.get(group["name"]) or ALERTS.get(_name(rule), 1.0))
                for rule in group["rules"]
            ]
        (to / file.name).write_text(yaml.safe_dump(document), encoding="utf-8")


def _name(rule: dict[str, Any]) -> str:
    return str(rule.get("alert") or rule.get("record"))


def _faster(rule: dict[str, Any], by: float) -> dict[str, Any]:
    changed = dict(rule)
    if "keep_firing_for" in rule:
        changed["keep_firing_for"] = _shrunk(rule["keep_firing_for"], RESTS)
    if by == 1:
        return changed
    changed["expr"] = _IN_EXPR.sub(
        lambda found: _shrunk(found[0], by),
        rule["expr"],
    )
    if "for" in rule:
        changed["for"] = _shrunk(rule["for"], by)
    return changed


def _shrunk(duration: str, by: float) -> str:
    return f"{max(1, round(int(duration[:-1]) * _UNITS[duration[-1]] / by))}s"
