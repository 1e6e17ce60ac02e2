"""What a person is shown next, and what their keys do. Pure: it follows from queue and answers."""

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from retrain.labels.queue.draw import Drawn

REPEAT_EVERY: Final = 10
"""Of so many labelled tweets one is shown once more: agreement of a person with themselves."""

_REPEAT_THE: Final = 5
_REPEAT_AFTER: Final = 8
"""Tweets shown between the two: enough for the first answer not to be just a memory."""

_LEAST_AFTER: Final = 3
"""The same where the queue ends before."""


class AnswerKind(StrEnum):
    """What came of a tweet that was the next one."""

    LABELLED = "labelled"
    UNSURE = "unsure"
    SKIPPED = "skipped"
    COPIED = "copied"
    GONE = "gone"

    @property
    def is_a_persons(self) -> bool:
        """Whether somebody pressed a key for it."""
        return self not in (AnswerKind.COPIED, AnswerKind.GONE)

    @property
    def is_stored(self) -> bool:
        """Whether the table of labels has it."""
        return self in (AnswerKind.LABELLED, AnswerKind.UNSURE, AnswerKind.COPIED)


class Shown(NamedTuple):
    """A tweet of the queue as it is shown: for the first time (0) or once more (1)."""

    drawn: Drawn
    repeat: int = 0


class Answer(NamedTuple):
    """What came of one that was shown; `version` and `text` are of the tweet as it was then."""

    shown: Shown
    kind: AnswerKind
    label: str | None = None
    version: int = 0
    text: str = ""


class Session:
    """A queue with the answers so far. Undoing is to leave the last answer out again.

    Without `repeats` nothing is shown twice.
    """

    def __init__(self, queue: Sequence[Drawn], *, repeats: bool = True) -> None:
        self._queue = queue
        self._repeats = repeats
        self._answers: list[Answer] = []

    @property
    def next(self) -> Shown | None:
        """The next tweet: a repeat that is due, else the queue's next; None at the end."""
        waiting = deque(self._queue)
        due: deque[tuple[int, Drawn]] = deque()
        labelled = asked = 0
        for answer in self._answers:
            if answer.shown.repeat:
                due.popleft()
            else:
                waiting.popleft()
            asked += answer.kind.is_a_persons
            if answer.kind is AnswerKind.LABELLED and not answer.shown.repeat:
                labelled += 1
                if self._repeats and labelled % REPEAT_EVERY == _REPEAT_THE:
                    due.append((asked, answer.shown.drawn))
        after = _REPEAT_AFTER if waiting else _LEAST_AFTER
        if due and asked - due[0][0] >= after:
            return Shown(due[0][1], repeat=1)
        return Shown(waiting[0]) if waiting else None

    @property
    def last(self) -> Answer | None:
        """What the person did last, which `undo` would forget; None where nothing was done."""
        return next((each for each in reversed(self._answers) if each.kind.is_a_persons), None)

    def answer(self, answer: Answer) -> None:
        """Note what came of `next`."""
        self._answers.append(answer)

    def undo(self) -> list[Answer]:
        """Forget the last thing that the person did, and return all that goes with it.

        What happened by itself since then goes too. Empty where nothing was done.
        """
        if not any(answer.kind.is_a_persons for answer in self._answers):
            return []
        undone: list[Answer] = []
        while not undone or not undone[-1].kind.is_a_persons:
            undone.append(self._answers.pop())
        return undone

    def answer_to(self, root_id: str) -> Answer | None:
        """Return what came of a tweet when it was shown first."""
        return next(
            (
                answer
                for answer in self._answers
                if answer.shown.drawn.root_id == root_id and not answer.shown.repeat
            ),
            None,
        )

    def count(self, kind: AnswerKind) -> int:
        """Return how many tweets have such an answer; repeats count for nothing."""
        return sum(each.kind is kind and not each.shown.repeat for each in self._answers)

    @property
    def left(self) -> int:
        """How many tweets of the queue have no answer yet."""
        return len(self._queue) - sum(not answer.shown.repeat for answer in self._answers)
