"""A message that ends the process each time it is scored is found, and scored no more.

What takes longer than the watchdog waits, or more memory than there is, raises nothing that could
be caught: the process is gone, and its window comes again. So the window that is being scored is
noted in a file for each partition, which outlives the process. One that ended a process twice is
taken apart, each message scored alone; one that then ends it twice more alone is a dead letter.
What raises an exception leaves no note: that is handled where it is raised.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from schemas.private_files import make_private_folder
from schemas.transport.messages import ConsumedMessage, Partition

APART_AFTER: Final = 2
BLAMED_AFTER: Final = 4
"""Ends of processes, in all. A process may also be killed for what is no message's fault, so that
once is not enough, neither for a window nor for a message alone."""

Outcome = TypeVar("Outcome")


class Note(Struct, frozen=True, kw_only=True):
    """Offsets of a partition in which `ends` processes had ended.

    One more has, where the note was left behind `in_flight`.
    """

    first: int
    last: int
    ends: int
    in_flight: bool = False


class UnfinishedWindows(Generic[Outcome]):
    """Scores windows and remembers what processes ended in.

    `refuse` makes the outcome of a message that is to blame; `scored` is called after each message
    of a window that was taken apart. One instance belongs to one thread. Several processes may
    share the folder: each note is of a partition, which only one of them reads.
    """

    def __init__(
        self,
        folder: Path,
        *,
        refuse: Callable[[ConsumedMessage, int], Outcome],
        scored: Callable[[], None],
    ) -> None:
        self._folder = make_private_folder(folder)
        self._refuse = refuse
        self._scored = scored
        self._notes: dict[Partition, list[Note]] = {}

    def judge(
        self,
        window: Sequence[ConsumedMessage],
        judge: Callable[[Sequence[ConsumedMessage]], list[Outcome]],
    ) -> list[Outcome]:
        """Return an outcome for each message, in order; raise what `judge` raises."""
        for partition in {_partition_of(message) for message in window}:
            self._look_at(partition)
        if all(self._ends_of(message) < APART_AFTER for message in window):
            with self._noted(window):
                return judge(window)
        outcomes = []
        for message in window:
            outcomes += self._alone(message, judge)
            self._scored()
        # Until now whoever is to blame was kept in mind: another of the window could end this too.
        for partition, (_, last) in _ranges(window).items():
            self._keep(partition, _outside(self._notes[partition], 0, last))
        return outcomes

    def _alone(
        self, message: ConsumedMessage, judge: Callable[[Sequence[ConsumedMessage]], list[Outcome]]
    ) -> list[Outcome]:
        note = self._note_of(message)
        if note is not None and note.first == note.last and note.ends >= BLAMED_AFTER:
            return [self._refuse(message, note.ends)]
        with self._noted([message]):
            return judge([message])

    def _note_of(self, message: ConsumedMessage) -> Note | None:
        at = message.offset
        notes = self._notes[_partition_of(message)]
        return next((note for note in notes if note.first <= at <= note.last), None)

    def _ends_of(self, message: ConsumedMessage) -> int:
        note = self._note_of(message)
        return 0 if note is None else note.ends

    @contextmanager
    def _noted(self, messages: Sequence[ConsumedMessage]) -> Iterator[None]:
        ranges = _ranges(messages)
        for partition, (first, last) in ranges.items():
            mine = [each for each in messages if _partition_of(each) == partition]
            ends = max(self._ends_of(each) for each in mine)
            note = Note(first=first, last=last, ends=ends, in_flight=True)
            self._write(partition, [*_outside(self._notes[partition], first, last), note])
        try:
            yield
        except MemoryError:
            raise
        except BaseException:
            for partition in ranges:
                self._write(partition, self._notes[partition])
            raise
        for partition, (first, last) in ranges.items():
            self._keep(partition, _outside(self._notes[partition], first, last))

    def _keep(self, partition: Partition, notes: list[Note]) -> None:
        self._notes[partition] = notes
        self._write(partition, notes)

    def _look_at(self, partition: Partition) -> None:
        """Read once what an earlier process left of a partition."""
        if partition in self._notes:
            return
        path = self._path_of(partition)
        left = _notes_in(path.read_bytes()) if path.exists() else []
        self._notes[partition] = [
            msgspec.structs.replace(note, ends=note.ends + note.in_flight, in_flight=False)
            for note in left
        ]

    def _write(self, partition: Partition, notes: list[Note]) -> None:
        """Write over what was there, in one piece; what is longer of it stands behind the line."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        file = os.open(self._path_of(partition), flags, 0o600)
        try:
            os.pwrite(file, msgspec.json.encode(notes) + b"\n", 0)
        finally:
            os.close(file)

    def _path_of(self, partition: Partition) -> Path:
        return self._folder / f"{partition[0]}-{partition[1]}"


def _partition_of(message: ConsumedMessage) -> Partition:
    return message.topic, message.partition


def _ranges(messages: Sequence[ConsumedMessage]) -> dict[Partition, tuple[int, int]]:
    """Return the first and the last offset in each partition."""
    ranges: dict[Partition, tuple[int, int]] = {}
    for message in messages:
        at = message.offset
        first, last = ranges.get(_partition_of(message), (at, at))
        ranges[_partition_of(message)] = min(first, at), max(last, at)
    return ranges


def _outside(notes: Sequence[Note], first: int, last: int) -> list[Note]:
    """Return the parts of notes that are not of offsets from `first` to `last`."""
    parts = []
    for note in notes:
        for begins, ends_at in (
            (note.first, min(note.last, first - 1)),
            (max(note.first, last + 1), note.last),
        ):
            if begins <= ends_at:
                parts.append(msgspec.structs.replace(note, first=begins, last=ends_at))
    return parts


def _notes_in(content: bytes) -> list[Note]:
    """Return what a process left; nothing of what is none of ours: a file may also be anything."""
    try:
        return msgspec.json.decode(content.partition(b"\n")[0], type=list[Note])
    except msgspec.DecodeError:
        return []
