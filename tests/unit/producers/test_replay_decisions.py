"""The decisions of a replay: where to begin, how fast, how far ahead, what is confirmed."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.formats.archive_format import FormatOptions
from producers.formats.x_v2 import X_V2
from producers.replay.ack_tracker import AckTracker
from producers.replay.lag_bound import LagBound
from producers.replay.plan import Action, ArchiveFile, plan_files
from producers.replay.positions import FilePosition, joined_source
from producers.replay.rate_limit import RateLimit
from producers.replay.run_name import run_name_of
from schemas.events import LIVE, valid_run_name
from schemas.transport.group_lag import KafkaUnavailable

PARTLY = FilePosition(records_done=5, events_published=4, dead_letters=1)
FINISHED = replace(PARTLY, finished=True)


def file(name: str) -> ArchiveFile:
    return ArchiveFile(Path(name), name * 8, 10, X_V2.name, X_V2.reader(b"", FormatOptions()))


@pytest.mark.parametrize(
    ("known", "restart", "actions"),
    [
        ({}, False, [Action.BEGIN, Action.BEGIN]),
        ({"a": PARTLY}, False, [Action.RESUME, Action.BEGIN]),
        ({"a": FINISHED, "b": PARTLY}, False, [Action.ALREADY_FINISHED, Action.RESUME]),
        ({"a": FINISHED}, False, [Action.ALREADY_FINISHED, Action.BEGIN]),
        ({"a": FINISHED, "b": FINISHED}, False, [Action.BEGIN, Action.BEGIN]),
        ({"a": FINISHED, "b": PARTLY}, True, [Action.BEGIN, Action.BEGIN]),
    ],
)
def test_what_was_interrupted_goes_on_and_what_is_finished_begins_anew(
    known: dict[str, FilePosition], restart: bool, actions: list[Action]
) -> None:
    positions = {file(name).key: position for name, position in known.items()}
    planned = plan_files([file("a"), file("b")], positions, restart=restart)
    assert [plan.action for plan in planned] == actions
    for plan in planned:
        begins = plan.action is Action.BEGIN
        assert plan.start == (FilePosition() if begins else positions[plan.file.key])


def test_a_file_that_is_read_otherwise_begins_anew() -> None:
    quoted = replace(file("a"), options=FormatOptions(quoting=False))
    [planned] = plan_files([quoted], {file("a").key: PARTLY}, restart=False)
    assert (planned.action, planned.start) == (Action.BEGIN, FilePosition())


def test_the_same_content_under_two_names_is_published_once() -> None:
    planned = plan_files([file("a"), file("a")], {}, restart=False)
    assert [plan.action for plan in planned] == [Action.BEGIN, Action.SAME_CONTENT]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=12), st.randoms())
def test_the_position_is_never_beyond_an_unconfirmed_message(
    records: list[tuple[int, int]], random: Random
) -> None:
    confirmations = AckTracker(FilePosition())
    tickets = [confirmations.open(events, letters) for events, letters in records]
    waiting = [number for number, ticket in enumerate(tickets) for _ in range(ticket.unconfirmed)]
    random.shuffle(waiting)
    while True:
        whole = next((n for n in range(len(records)) if n in waiting), len(records))
        position = confirmations.position()
        assert position.records_done == whole
        assert position.events_published == sum(events for events, _ in records[:whole])
        assert position.dead_letters == sum(letters for _, letters in records[:whole])
        if not waiting:
            break
        tickets[waiting.pop()].confirm()


def test_a_pace_spreads_events_evenly() -> None:
    pace, now_s, times = RateLimit(10, 100.0), 100.0, []
    for _ in range(31):
        now_s += pace.wait_s(now_s)
        times.append(now_s)
        pace.published(now_s)
    assert times[-1] - times[0] == pytest.approx(3.0)
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(0.1)


def test_a_pause_is_not_caught_up() -> None:
    pace = RateLimit(10, 0.0)
    pace.published(0.0)
    sent = 0
    while pace.wait_s(60.0) == 0:
        pace.published(60.0)
        sent += 1
    assert sent <= 3


def lag_answers(*answers: int | None) -> Callable[[], int]:
    left = list(answers)

    def ask() -> int:
        answer = left.pop(0)
        if answer is None:
            raise KafkaUnavailable("away")
        return answer

    return ask


def test_the_bound_counts_what_was_published_since_the_brokers_were_asked() -> None:
    bound = LagBound(10, lag_answers(4, 0))
    sent = 0
    while bound.allows(0.1, outstanding=2):
        bound.published()
        sent += 1
    assert sent == 4
    assert not bound.allows(0.3, outstanding=0)
    assert bound.allows(0.7, outstanding=0)


def test_brokers_that_do_not_answer_do_not_widen_the_bound() -> None:
    bound = LagBound(10, lag_answers(None, 9, None))
    assert not bound.allows(0.0, outstanding=0)
    assert bound.allows(1.0, outstanding=0)
    bound.published()
    assert not bound.allows(2.0, outstanding=0)


def test_no_bound_asks_nobody() -> None:
    assert LagBound(0, lag_answers()).allows(0.0, outstanding=10**6)


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("Tweets 2016.jsonl.gz", "tweets-2016"),
        ("SemEval2017-test.subtask-A.english.txt", "semeval2017-test.subtask-a.english"),
        ("twitter-stream-2022-11-08.tar.bz2", "twitter-stream-2022-11-08"),
        ("-", "replay"),
        (".csv", "replay"),
        ("live.jsonl", "replay"),
        ("Zürich.tsv", "z-rich"),
    ],
)
def test_a_run_is_called_after_its_file(name: str, run: str) -> None:
    assert run_name_of(Path(name)) == run


@given(st.text(st.characters(exclude_characters="/\x00"), min_size=1))
def test_every_file_name_gives_a_valid_run_name(name: str) -> None:
    run = run_name_of(Path("folder") / name)
    assert valid_run_name(run)
    assert run != LIVE


def test_a_run_names_each_of_its_files_once() -> None:
    assert joined_source("a, b", ["b", "c"]) == "a, b, c"
    assert joined_source("a", ["x" * 2_000]) == "a"
