"""What surrounds a process: whatever stands still in it, /healthz and the watchdog know."""

import os
import signal
import threading

import pytest

from schemas.process.progress import Health
from schemas.process.running_process import RunningProcess, running_process
from schemas.setting_views import ProbeAddress


def process() -> RunningProcess:
    return RunningProcess("sink", stall_after_s=60)


def test_a_part_that_stands_still_is_what_the_process_says() -> None:
    whole = process()
    assert whole.health().ok
    parts = [Health(True, "well"), Health(False, "the reader has not moved"), Health(False, "no")]
    for part in parts:
        whole.watch(lambda part=part: part)  # type: ignore[misc]
    assert whole.health() == parts[1]


def test_what_knows_more_of_the_process_answers_for_its_readiness() -> None:
    whole = process()
    assert whole.readiness() == Health(False, "starting")
    whole.ask_readiness = lambda: Health(False, "standing by")
    assert whole.readiness() == Health(False, "standing by")


def test_an_end_that_begins_by_itself_is_bounded_as_one_by_a_signal() -> None:
    ends_itself, told = process(), process()
    ending: list[int] = []
    ends_itself.ends_when(lambda: bool(ending))
    assert not ends_itself.stopping()
    ending.append(1)
    assert ends_itself.stopping()
    told.stop.ask()
    assert told.stopping()


def test_a_signal_stops_it_and_its_end_is_told_to_the_threads_beside_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with running_process("sink", ProbeAddress("127.0.0.1", 0), stall_after_s=60) as running:
        assert not running.stopping()
        os.kill(os.getpid(), signal.SIGTERM)
        assert running.stop.asked()
        assert not running.finished.is_set()
    assert running.finished.is_set()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_a_thread_beside_it_ends_the_process_with_that_fault() -> None:
    """Else a service without the thread that reads its keys would look well."""

    def broken(_finished: threading.Event) -> None:
        raise LookupError("nobody foresaw it")

    def serve() -> None:
        with running_process("serve", ProbeAddress("127.0.0.1", 0), stall_after_s=60) as running:
            running.run_beside("keys", broken).join(30)
            assert running.stop.asked()

    with pytest.raises(LookupError, match="nobody foresaw it"):
        serve()
