"""The first signal asks for an end; a process need not be told by a signal either."""

import os
import signal

import pytest

from schemas.process.exit_codes import ExitCode, interrupted_by
from schemas.process.stop_signals import StopSignals, exit_on_termination


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered_and_a_second_one_would_end_the_process(
    number: signal.Signals,
) -> None:
    stop, heard = StopSignals(), list[int]()
    before = signal.getsignal(number)
    with stop.watching():
        stop.tell(lambda: heard.append(1))
        assert not stop.asked()
        os.kill(os.getpid(), number)
        assert (stop.asked(), stop.event.is_set(), heard) == (True, True, [1])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(number) is before
    assert interrupted_by(stop.signal_number or 0) == 128 + number


def test_a_terminated_command_ends_by_an_exception_and_says_what_ended_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    exit_on_termination()
    try:
        with pytest.raises(SystemExit) as ended:
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 143


def test_who_asks_to_be_told_too_late_is_told_at_once() -> None:
    stop, heard = StopSignals(), list[int]()
    stop.ask()
    stop.tell(lambda: heard.append(1))
    assert (stop.signal_number, heard) == (None, [1])


def test_the_codes_that_supervisors_know_stay_as_they_are() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 70, 71, 99]
