"""What the doctor calls well, worth knowing and wrong."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import ResourceType

from deploy.doctor.cli import doctor
from deploy.doctor.finding import Finding
from deploy.doctor.judging import (
    judge_certificate,
    judge_clock,
    judge_disk,
    judge_encoding,
    judge_postgres_version,
    judge_python,
    judge_redis_version,
    judge_rights_on_tables,
)
from deploy.doctor.kafka_rights import RightsHeld, judge_rights_on_kafka
from deploy.installation.acls import acls_of
from schemas.process.process_list import PROCESSES, SCORE, SINK, WATCH, ProcessSpec
from schemas.setting_views import Names


@pytest.mark.parametrize(
    ("judge", "state"),
    [
        (lambda: judge_python((3, 12)), "well"),
        (lambda: judge_python((3, 10)), "wrong"),
        (lambda: judge_disk("/data", 50, 50), "well"),
        (lambda: judge_disk("/data", 90, 10), "note"),
        (lambda: judge_disk("/data", 96, 4), "wrong"),
        (lambda: judge_disk("/data", 1, 0), "wrong"),
        (lambda: judge_clock(timedelta(seconds=1)), "well"),
        (lambda: judge_clock(timedelta(seconds=-5)), "note"),
        (lambda: judge_clock(timedelta(seconds=-31)), "wrong"),
        (lambda: judge_postgres_version(180_006), "well"),
        (lambda: judge_postgres_version(140_012), "wrong"),
        (lambda: judge_encoding("UTF8"), "well"),
        (lambda: judge_encoding("SQL_ASCII"), "wrong"),
        (lambda: judge_redis_version("7.2.4", "allkeys-lru")[0], "well"),
        (lambda: judge_redis_version("7.2.4", "noeviction")[1], "note"),
        (lambda: judge_redis_version("5.0.1", "allkeys-lru")[0], "wrong"),
        (lambda: judge_rights_on_tables([], [], may_create=True)[0], "well"),
        (lambda: judge_rights_on_tables(["tweets"], [], may_create=True)[0], "wrong"),
        (lambda: judge_rights_on_tables([], [], may_create=False)[1], "note"),
        (lambda: judge_rights_on_tables([], [WATCH], may_create=False)[-1], "well"),
        (lambda: judge_rights_on_tables([], [SINK], may_create=False)[1], "wrong"),
        (lambda: judge_certificate("it", timedelta(days=90)), "well"),
        (lambda: judge_certificate("it", timedelta(days=3)), "note"),
        (lambda: judge_certificate("it", timedelta(days=-1)), "wrong"),
    ],
)
def test_what_is_found_is_judged_by_its_limits(judge: Callable[[], Finding], state: str) -> None:
    found = judge()
    assert found.state == state
    # Whatever is not well comes with what to do.
    assert bool(found.advice) == (state != "well")


def test_a_setting_that_is_none_is_told_and_nothing_else_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MURMUR_SINK_BATCH", "many")
    answer = CliRunner().invoke(doctor, ["--json"], standalone_mode=False)
    assert answer.return_value == 1
    (finding,) = json.loads(answer.stdout)["findings"]
    assert finding["found"] == "MURMUR_SINK_BATCH: must be a whole number"


def held_by(*processes: ProcessSpec) -> RightsHeld:
    """Return what a user may do who has the rights of these processes and no others."""
    held: dict[ResourceType, dict[str, set[str]]] = {ResourceType.TOPIC: {}, ResourceType.GROUP: {}}
    for process in processes:
        for kind, name, operation in acls_of(process, Names("")):
            held[kind].setdefault(name, set()).update({operation.name, "DESCRIBE"})
    return RightsHeld(held[ResourceType.TOPIC], held[ResourceType.GROUP])


def test_a_user_of_one_process_is_judged_by_that_process() -> None:
    (found,) = judge_rights_on_kafka(held_by(SCORE), [SCORE], Names(""))
    assert found.state == "well"
    (found,) = judge_rights_on_kafka(held_by(SCORE), [SINK], Names(""))
    assert found.state == "wrong"
    assert "may not READ topic tweets.scored" in found.found
    assert "READ group murmur-sink" in found.found


def test_without_a_process_the_rights_of_one_are_enough_and_the_others_lacks_are_told() -> None:
    enough, *others = judge_rights_on_kafka(held_by(SCORE), [], Names(""))
    assert enough.state == "well"
    assert enough.found == "Kafka: enough for score"
    assert {found.state for found in others} == {"note"}
    assert len(others) == len(PROCESSES) - 1
    assert {found.state for found in judge_rights_on_kafka(held_by(), [], Names(""))} == {"wrong"}
    (all_of_them,) = judge_rights_on_kafka(held_by(*PROCESSES), [], Names(""))
    assert all_of_them.state == "well"
