"""A process that stands still is ended, and one that shall stop does so in time."""

from schemas.process.exit_codes import ExitCode
from schemas.process.progress import Progress
from schemas.process.watchdog import STOP_WITHIN_S, Watchdog


class Process:
    """A process with a watchdog, a clock that tests turn, and the ends that it was given."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.is_stopping = False
        self.ends: list[tuple[int, str]] = []
        self.progress = Progress(lambda: self.now_s, stall_after_s=60)
        self.watchdog = Watchdog(
            self.progress.health,
            stopping=lambda: self.is_stopping,
            clock=lambda: self.now_s,
            end=lambda code, reason: self.ends.append((code, reason)),
        )

    def looks_at(self, now_s: float) -> list[tuple[int, str]]:
        self.now_s = now_s
        self.watchdog.look()
        return self.ends


def test_lag_without_progress_ends_the_process_and_says_what_stood_still() -> None:
    process = Process()
    process.progress.lag = 7
    assert process.looks_at(60) == []
    assert process.looks_at(61) == [(ExitCode.STALLED, "lag 7 and no progress for 61 s")]


def test_progress_and_idleness_keep_it_alive() -> None:
    process = Process()
    process.progress.lag = 7
    process.looks_at(50)
    process.progress.advance()
    assert process.looks_at(100) == []
    process.progress.lag = 0
    assert process.looks_at(1_000) == []


def test_waiting_for_a_missing_server_is_no_stall() -> None:
    process = Process()
    process.progress.lag = 7
    process.progress.unavailable = "PostgreSQL"
    assert process.looks_at(3_600) == []


def test_a_process_that_cannot_stop_is_ended_before_ten_seconds() -> None:
    process = Process()
    process.is_stopping = True
    process.looks_at(100)
    assert process.looks_at(100 + STOP_WITHIN_S - 0.1) == []
    [(code, _)] = process.looks_at(100 + STOP_WITHIN_S)
    assert (code, STOP_WITHIN_S < 10) == (ExitCode.UNFINISHED, True)


def test_what_is_in_flight_when_it_is_told_to_stop_is_no_stall() -> None:
    process = Process()
    process.progress.lag = 7
    process.is_stopping = True
    assert process.looks_at(1_000) == []
