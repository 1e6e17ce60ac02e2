"""A replay's position counts as long as Kafka bears it out."""

from collections.abc import Mapping

import pytest

from producers.replay.log_ends import LogEnd, LogEnds, hold
from producers.replay.positions import FileKey, FilePosition, StoredFilePosition, borne_out
from schemas.transport.log_proof import Finding, LastMessage
from schemas.transport.messages import Partition

IDS = {"raw": "id-raw", "dead": "id-dead"}


def ends(offset: int, topic_id: str = "id-raw") -> list[LogEnd]:
    return [LogEnd(topic_id, 3, LastMessage(offset, 5, "hash"))]


def position(offset: int) -> StoredFilePosition:
    return StoredFilePosition("file", FilePosition(records_done=offset), ends(offset))


@pytest.mark.parametrize(
    ("finding", "holds"),
    [(Finding.SAME_LOG, True), (Finding.EXPIRED, True), (Finding.ANOTHER_LOG, False)],
)
def test_what_is_there_or_has_expired_holds(finding: Finding, holds: bool) -> None:
    def find(asked: Mapping[Partition, LastMessage]) -> Mapping[Partition, Finding]:
        assert list(asked) == [("raw", 3)]
        return dict.fromkeys(asked, finding)

    assert hold(ends(7), IDS, find) is holds
    assert not hold(ends(7, "of a topic made anew"), IDS, find)


def test_ends_that_older_releases_did_not_keep_hold() -> None:
    assert hold([], IDS, lambda _: {})
    old = {FileKey("a", "x"): StoredFilePosition("a", FilePosition(1), [])}
    assert borne_out(old, lambda _: True) == {FileKey("a", "x"): FilePosition(1)}


def test_only_positions_behind_what_was_lost_are_given_up_and_few_are_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = {FileKey(str(offset), "x"): position(offset) for offset in range(10)}
    asked = []

    def have(found: LogEnds) -> bool:
        asked.append(found[0].last.offset)
        return found[0].last.offset < 7

    kept = borne_out(known, have)
    assert {key.sha256 for key in kept} == {"0", "1", "2", "3", "4", "5", "6"}
    assert asked == [9, 8, 7, 6]
    assert caplog.text.count("publishing it anew") == 3
