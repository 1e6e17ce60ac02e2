"""What people are told when a replay has ended."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from producers.formats.archive_format import FormatOptions
from producers.formats.x_v2 import X_V2
from producers.replay.display import report_table, what_next
from producers.replay.inspect_files import PassedOver
from producers.replay.plan import Action, ArchiveFile, PlannedFile
from producers.replay.positions import FilePosition
from producers.replay.report import FileReport, ReplayOutcome, ReplayReport

DAMAGE = "damaged gzip data: it ends early"


def file_report(name: str, action: Action = Action.BEGIN, damage: str | None = None) -> FileReport:
    file = ArchiveFile(Path(name), name, 10, X_V2.name, X_V2.reader(b"", FormatOptions()))
    planned = PlannedFile(file, action, FilePosition())
    return FileReport(planned, lines=3, finished=damage is None, damage=damage)


def report(*files: FileReport) -> ReplayReport:
    return ReplayReport("spring", files=list(files))


def shown(of: ReplayReport) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(report_table(of))
    return captured.get()


def test_a_replay_of_a_file_that_was_cut_is_not_finished() -> None:
    cut = report(file_report("a"), file_report("b", damage=DAMAGE))
    assert cut.outcome is ReplayOutcome.DAMAGED
    assert "finished" not in shown(cut)
    assert "run spring: not read to its end" in shown(cut)
    assert "stays unfinished" in what_next(cut)[0]
    assert report(file_report("a")).outcome is ReplayOutcome.FINISHED


def test_a_replay_that_was_interrupted_says_so_whatever_was_damaged() -> None:
    interrupted = report(file_report("a", damage=DAMAGE))
    interrupted.ending = ReplayOutcome.INTERRUPTED
    assert interrupted.outcome is ReplayOutcome.INTERRUPTED


def test_damage_is_told_once() -> None:
    cut = report(file_report("a", damage=DAMAGE))
    assert "\n".join([shown(cut), *what_next(cut)]).count(DAMAGE) == 1


@pytest.mark.parametrize("action", list(Action))
def test_the_table_has_remarks_only_where_there_is_something_to_remark(action: Action) -> None:
    table = report_table(report(file_report("a"), file_report("b", action)))
    assert all(column.header for column in table.columns)
    assert len(table.columns) == 6 + (action is not Action.BEGIN)


def test_a_file_that_is_resumed_says_at_which_record() -> None:
    resumed = file_report("a", Action.RESUME)
    resumed.planned = replace(resumed.planned, start=FilePosition(records_done=1200))
    assert "resumed at record 1,201" in shown(report(resumed))


def test_dead_letters_are_found_by_the_command_that_lists_them() -> None:
    faulty = file_report("a")
    faulty.dead_letters = Counter({"not-json": 2})
    (sentence,) = what_next(report(faulty))
    assert "`murmur dead-letters list --run spring`" in sentence


def test_what_is_passed_over_is_said_once_for_each_kind() -> None:
    done = report(file_report("a"))
    done.passed_over = [PassedOver(name, "it is empty") for name in "bcd"]
    assert what_next(done) == ["passed over: b and 2 more: it is empty"]


def test_who_published_something_is_told_that_scoring_goes_on_and_where_it_shows() -> None:
    published = file_report("a")
    published.events = Counter({"TweetPosted": 3})
    (sentence,) = what_next(report(published))
    assert "scoring continues" in sentence
    assert "`murmur totals --run spring`" in sentence
    assert what_next(report(file_report("a", Action.ALREADY_FINISHED))) == []
