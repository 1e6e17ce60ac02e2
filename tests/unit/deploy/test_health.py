"""`murmur health` is well only where a process answers, and says that it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from deploy.health import ask_probes
from deploy.health.ask_probes import ask_probe
from deploy.health.cli import health
from schemas.process.probes import serve_probes
from schemas.process.progress import Health


@contextmanager
def process(health_now: Health, readiness: Health) -> Iterator[int]:
    with serve_probes(
        "127.0.0.1", 0, CollectorRegistry(), health=lambda: health_now, readiness=lambda: readiness
    ) as port:
        yield port


def test_a_process_says_whether_it_lives_and_whether_it_can_take_work() -> None:
    with process(Health(True, "alive"), Health(False, "held")) as port:
        alive = ask_probe("score", port, "healthz")
        ready = ask_probe("score", port, "readyz")
    assert alive is not None
    assert (alive.ok, alive.detail) == (True, "alive")
    assert ready is not None
    assert (ready.ok, ready.detail) == (False, "held")


def test_where_nothing_listens_there_is_no_answer() -> None:
    with process(Health(True, ""), Health(True, "")) as port:
        pass
    assert ask_probe("score", port, "healthz") is None


@pytest.mark.parametrize(
    ("arguments", "listening", "exit_code"),
    [
        ([], {"score": True}, 0),
        ([], {}, 1),
        ([], {"score": True, "sink": False}, 1),
        (["score"], {"score": True}, 0),
        (["score", "sink"], {"score": True}, 1),
    ],
)
def test_all_that_are_asked_for_have_to_be_well(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    listening: dict[str, bool],
    exit_code: int,
) -> None:
    def answer(name: str, port: int, probe: str) -> ask_probes.ProbeAnswer | None:
        del port, probe
        return (
            ask_probes.ProbeAnswer(name, listening[name], "it says so")
            if name in listening
            else None
        )

    monkeypatch.setattr(ask_probes, "ask_probe", answer)
    asked = CliRunner().invoke(health, arguments, standalone_mode=False)
    assert asked.return_value == exit_code
