"""A process is well when it moves, or when there is nothing to do."""

from schemas.process.progress import Progress


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def progress_with_lag(lag: int) -> tuple[Progress, Clock]:
    clock = Clock()
    progress = Progress(clock, stall_after_s=60)
    progress.ready = True
    progress.lag = lag
    return progress, clock


def test_lag_without_progress_turns_red_after_a_while() -> None:
    progress, clock = progress_with_lag(5)
    clock.now_s = 60
    assert progress.health().ok
    clock.now_s = 61
    assert not progress.health().ok
    assert not progress.readiness().ok
    progress.advance()
    assert progress.health().ok


def test_nothing_to_do_is_no_stall() -> None:
    progress, clock = progress_with_lag(0)
    clock.now_s = 3600
    assert progress.health().ok
    progress.idle()
    progress.lag = 1
    clock.now_s = 3650
    assert progress.health().ok


def test_waiting_for_a_server_is_said_and_is_no_stall() -> None:
    progress, clock = progress_with_lag(5)
    progress.unavailable = "PostgreSQL"
    clock.now_s = 3600
    assert progress.health().ok
    assert (progress.readiness().ok, progress.readiness().detail) == (
        False,
        "waiting for PostgreSQL",
    )


def test_a_starting_process_is_alive_and_not_ready() -> None:
    progress = Progress(Clock(), stall_after_s=60)
    assert progress.health().ok
    assert not progress.readiness().ok


def test_a_hold_is_said_and_is_no_stall() -> None:
    progress, clock = progress_with_lag(5)
    progress.held = "held since noon"
    clock.now_s = 3600
    assert progress.health().ok
    assert (progress.readiness().ok, progress.readiness().detail) == (False, "held since noon")


def test_a_lag_that_is_measured_is_asked_for_whenever_it_is_needed() -> None:
    progress, clock = progress_with_lag(0)
    waiting = [0]
    progress.measure_lag(lambda: waiting[0])
    progress.idle()
    # Nobody says it: what stands still could not.
    waiting[0] = 7
    clock.now_s = 61
    assert progress.health().detail == "lag 7 and no progress for 61 s"
    waiting[0] = 0
    assert progress.health().ok


def test_a_server_is_named_once_it_takes_long_and_not_after_its_answer() -> None:
    progress, clock = progress_with_lag(5)
    clock.now_s = 1
    progress.wait_for("Kafka")
    assert progress.readiness().ok
    clock.now_s = 3
    progress.wait_for("Kafka")
    assert progress.readiness().detail == "waiting for Kafka"
    clock.now_s = 3600
    assert progress.health().ok
    progress.advance()
    assert progress.readiness().ok
