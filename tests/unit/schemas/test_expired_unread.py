"""What retention deleted before it was read is counted, each message once."""

import pytest

from schemas.transport.expired_unread import ExpiredUnread
from schemas.transport.messages import Partition

P: Partition = ("tweets.raw", 0)
OTHER: Partition = ("tweets.raw", 1)


class Reader:
    """A reader, and what it has lost."""

    def __init__(self) -> None:
        self.lost: list[tuple[Partition, int]] = []
        self.expired = ExpiredUnread(lambda partition, count: self.lost.append((partition, count)))

    def read(self, *offsets: int, low: int = 0) -> None:
        self.expired.read(((P, offset) for offset in offsets), lambda _: low)


@pytest.fixture
def reader() -> Reader:
    reader = Reader()
    reader.expired.assigned({P: 10})
    return reader


def test_a_committed_offset_below_the_low_watermark_is_a_loss(reader: Reader) -> None:
    reader.expired.low(P, 25)
    reader.expired.low(P, 25)
    reader.read(25, 26, low=25)
    assert reader.lost == [(P, 15)]


def test_a_jump_of_offsets_is_a_loss_where_the_low_watermark_says_so(reader: Reader) -> None:
    reader.read(10, 11)
    reader.read(20, 21, low=18)
    reader.expired.low(P, 20)
    assert reader.lost == [(P, 6)]


def test_a_gap_that_retention_did_not_make_is_no_loss(reader: Reader) -> None:
    reader.read(10, 12, 15, low=3)
    assert reader.lost == []


def test_what_was_read_may_expire(reader: Reader) -> None:
    reader.read(*range(10, 30))
    reader.expired.low(P, 30)
    assert reader.lost == []


def test_what_expired_before_anybody_read_is_nobodys_loss(reader: Reader) -> None:
    reader.expired.assigned({})
    reader.expired.low(P, 500)
    reader.read(500, 501, low=500)
    assert reader.lost == []


def test_partitions_of_others_are_forgotten(reader: Reader) -> None:
    reader.expired.assigned({OTHER: 0})
    reader.expired.low(P, 100)
    reader.expired.low(OTHER, 4)
    assert reader.lost == [(OTHER, 4)]


def test_offsets_that_come_again_change_nothing(reader: Reader) -> None:
    reader.read(10, 11, 12, 10, 11, 12, 13)
    assert reader.lost == []
