"""A thread that nobody waits for is seen to stand still."""

from schemas.process.liveness import Liveness


class Thread:
    """A thread's liveness, and a clock that tests turn."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.liveness = Liveness("the reader", lambda: self.now_s, stuck_after_s=60)

    def is_well_at(self, now_s: float) -> bool:
        self.now_s = now_s
        return self.liveness.health().ok


def test_a_thread_that_moves_is_well_and_one_that_does_not_is_named() -> None:
    thread = Thread()
    thread.liveness.moves()
    assert thread.is_well_at(60)
    thread.liveness.moves()
    assert thread.is_well_at(120)
    assert not thread.is_well_at(121)
    assert thread.liveness.health().detail == "the reader has not moved for 61 s"


def test_a_thread_that_has_not_begun_or_rests_is_well() -> None:
    thread = Thread()
    assert thread.is_well_at(1_000)
    thread.liveness.moves()
    thread.liveness.rests()
    assert thread.is_well_at(5_000)
