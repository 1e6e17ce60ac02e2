"""`make alerts-live` knows every alert: it raises it, or says why not."""

from pathlib import Path

import yaml

from tests.alerts_live.__main__ import alert_names, table
from tests.alerts_live.cases import CASES, NOT_RAISED
from tests.alerts_live.faster_rules import ALERTS, write_faster_rules
from tests.alerts_live.installation import BAD, GOOD, UNSURE
from tests.observability_files import OBSERVABILITY


def test_every_alert_is_raised_by_a_case_or_has_a_reason_why_not() -> None:
    raised = {alert for case in CASES for alert in (*case.alerts, *case.also)}
    assert raised | NOT_RAISED.keys() == set(alert_names())
    assert not raised & NOT_RAISED.keys()


def test_only_the_rules_that_are_named_look_back_a_part_of_their_time(tmp_path: Path) -> None:
    write_faster_rules(OBSERVABILITY / "rules", tmp_path)
    changed = {}
    for file in sorted((OBSERVABILITY / "rules").glob("*.yml")):
        before, after = (
            [
                rule
                for group in yaml.safe_load(each.read_text(encoding="utf-8"))["groups"]
                if not group["name"].startswith("murmur-world")
                for rule in group["rules"]
            ]
            for each in (file, tmp_path / file.name)
        )
        for one, other in zip(before, after, strict=True):
            if one != other:
                changed[one.get("alert") or one["record"]] = other
    # What comes back fires on for a while: that is shortened for all.
    rests = {"MurmurKafkaAway", "MurmurPostgresAway"}
    assert changed.keys() == {*ALERTS, *rests}
    assert "[100s]" in changed["MurmurRestartsOften"]["expr"]
    assert "offset 30s" in changed["MurmurExpiredUnread"]["expr"]
    assert changed["MurmurDiskFull"]["for"] == "30s"
    kafka = changed["MurmurKafkaAway"]
    assert (kafka["for"], kafka["keep_firing_for"]) == ("1m", "10s")
    assert "[3600s:5m]" in changed["MurmurRulesMissing"]["expr"]


def test_what_is_posted_matches_the_rule_as_the_fake_x_splits_words() -> None:
    assert all("cats" in text.split() for text in (GOOD, BAD, UNSURE))


def test_the_table_says_what_was_late_and_what_was_not_heard() -> None:
    lines = table(
        {
            "quiet_minutes": 60.0,
            "paged_in_quiet": [],
            "cases": [
                {
                    "what": "Redis stopped",
                    "alerts": ("MurmurRedisAway",),
                    "promise_s": 60.0,
                    "fired_after_s": None,
                    "resolved_after_s": None,
                    "pages": [],
                    "ok": False,
                    "fault": "not within 360 s",
                }
            ],
            "cases_took_s": 390.0,
            "untried": ["Kafka stopped"],
            "heard": [],
            "not_heard": {"MurmurHeld": "not tried"},
            "load_average": 1.0,
        }
    )
    assert (
        "| Redis stopped | MurmurRedisAway | 60 | None | None | none | WRONG: not within 360 s |"
        in lines
    )
    assert "| Kafka stopped | | | | | | NOT TRIED |" in lines
    assert "the cases took 6.5 min" in lines
    assert lines[-1] == "not heard: MurmurHeld (not tried)"
