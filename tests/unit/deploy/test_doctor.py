"""What the doctor calls well, worth knowing and wrong."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner

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
    judge_rights_on_topics,
)


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
        (lambda: judge_rights_on_topics([]), "well"),
        (lambda: judge_rights_on_topics([("tweets.raw", "READ")]), "wrong"),
        (lambda: judge_rights_on_tables([], may_create=True)[0], "well"),
        (lambda: judge_rights_on_tables(["tweets"], may_create=True)[0], "wrong"),
        (lambda: judge_rights_on_tables([], may_create=False)[1], "note"),
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
