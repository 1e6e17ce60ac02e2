"""Logs say what happened, and not the same thing twenty times a second."""

import logging
import subprocess
import sys

from schemas.process.logs import OnceInAWhile
from schemas.settings import Settings


def record(logger: str, text: str) -> logging.LogRecord:
    return logging.LogRecord(logger, logging.ERROR, __file__, 1, text, (), None)


def test_what_a_client_of_kafka_repeats_is_said_again_after_a_while_with_how_often() -> None:
    now_s = 0.0
    says = OnceInAWhile(lambda: now_s).filter
    assert says(record("aiokafka.consumer", "no broker"))
    assert [says(record("aiokafka.consumer", "no broker")) for _ in range(5)] == [False] * 5
    assert says(record("aiokafka.consumer", "another fault"))
    now_s = 10.0
    again = record("aiokafka.consumer", "no broker")
    assert says(again)
    assert vars(again)["left_out"] == 5


def test_what_faust_says_of_every_rebalance_is_left_out() -> None:
    says = OnceInAWhile(lambda: 0.0).filter
    assert not says(record("faust.app.base", "Missing sensor state for rebalance #1"))
    assert says(record("faust.app.base", "Missing something else"))


def test_our_own_lines_are_always_said() -> None:
    says = OnceInAWhile(lambda: 0.0).filter
    assert all(says(record("stream_processors.sink", "stored")) for _ in range(3))


def test_a_command_for_people_shows_nothing_of_kafkas_clients_and_its_own_warnings_as_text() -> (
    None
):
    code = (
        "import logging; from schemas.process.logs import keep_libraries_quiet;"
        "logging.basicConfig(format='%(message)s');"
        "keep_libraries_quiet(); logging.getLogger('librdkafka').error('no broker');"
        "logging.getLogger('deploy').warning('our own')"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stderr == "our own\n"
    quiet = Settings(_env_file=None).command_log  # type: ignore[call-arg]
    assert (quiet.level, quiet.format) == ("WARNING", "text")
    asked = Settings(_env_file=None, log_format="json", log_level="INFO")  # type: ignore[call-arg]
    assert asked.command_log == asked.log
