"""What a replay did, counted as it went."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from producers.replay.findings import Findings
from producers.replay.inspect_files import PassedOver
from producers.replay.packed_files import UNKNOWN_FORMAT
from producers.replay.plan import Action, PlannedFile
from producers.replay.trial import SAYS_NOTHING


class ReplayOutcome(StrEnum):
    """How a replay ended."""

    FINISHED = "finished"
    DAMAGED = "not read to its end"
    NOTHING = "nothing usable"
    LIMIT = "limit reached"
    INTERRUPTED = "interrupted"


@dataclass
class FileReport:
    """What became of one file in this call; what an earlier call published is not in it.

    `lines` is how many lines of the file were read, those of an earlier call among them (of a tar
    only those of the file that it went on in). `formats` counts the files of each format, and
    `unknown` names files of a tar that have none.
    """

    planned: PlannedFile
    lines: int = 0
    events: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    formats: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    finished: bool = False
    damage: str | None = None
    seconds: float = 0.0

    @property
    def nothing_usable(self) -> str | None:
        """Why nothing of the file could be used; None where something could, or may yet."""
        began = self.planned.action is Action.BEGIN
        if not began or not self.finished or self.events.total():
            return None
        if self.dead_letters:
            counted = ", ".join(f"{n:,} {reason}" for reason, n in self.dead_letters.most_common())
            return f"no record of it is a tweet ({counted})"
        beyond_a_header = not self.skipped and self.lines > 1
        if beyond_a_header or not SAYS_NOTHING.issuperset(self.skipped):
            return None
        if self.skipped[UNKNOWN_FORMAT] and self.unknown:
            return f"none of the files in it can be read: {'; '.join(self.unknown)}"
        counted = ", ".join(f"{count:,} {name}" for name, count in self.skipped.most_common())
        return f"it has no tweets{', but ' if counted else ''}{counted}"

    def as_json(self) -> dict[str, object]:
        """Return the report as a program reads it."""
        file = self.planned.file
        return {
            "file": file.shown,
            "sha256": file.sha256,
            "format": file.format_name,
            "formats": dict(sorted(self.formats.items())),
            "action": self.planned.action.value,
            "records_done_before": self.planned.start.records_done,
            "lines": self.lines,
            "events": dict(sorted(self.events.items())),
            "dead_letters": dict(sorted(self.dead_letters.items())),
            "skipped": dict(sorted(self.skipped.items())),
            **self.findings.as_json(),
            "nothing_usable": self.nothing_usable,
            "finished": self.finished,
            "damage": self.damage,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class ReplayReport:
    """What a call of `murmur replay` did.

    `ending` is what ended it; where that is the end of the last file, `outcome` knows more.
    `out_of_order` counts tweets that `--speed` could not time, since later ones went before them.
    """

    run: str
    passed_over: list[PassedOver] = field(default_factory=list)
    time_shift: timedelta = timedelta(0)
    files: list[FileReport] = field(default_factory=list)
    ending: ReplayOutcome = ReplayOutcome.FINISHED
    out_of_order: int = 0

    @property
    def outcome(self) -> ReplayOutcome:
        """How it ended: finished is only what was read to its end."""
        if self.ending is not ReplayOutcome.FINISHED:
            return self.ending
        if self.damaged:
            return ReplayOutcome.DAMAGED
        return ReplayOutcome.NOTHING if self.useless else ReplayOutcome.FINISHED

    @property
    def events(self) -> int:
        """How many events were published."""
        return sum(file.events.total() for file in self.files)

    @property
    def dead_letters(self) -> int:
        """How many dead letters were written."""
        return sum(file.dead_letters.total() for file in self.files)

    @property
    def damaged(self) -> list[FileReport]:
        """The files that could not be read to their end."""
        return [file for file in self.files if file.damage is not None]

    @property
    def useless(self) -> list[FileReport]:
        """The files that a person named and of which nothing could be used."""
        return [file for file in self.files if file.planned.file.named and file.nothing_usable]

    def as_json(self) -> dict[str, object]:
        """Return the report as a program reads it."""
        return {
            "run": self.run,
            "outcome": self.outcome.value,
            "events": self.events,
            "dead_letters": self.dead_letters,
            "seconds": round(sum(file.seconds for file in self.files), 3),
            "time_shift_s": self.time_shift.total_seconds(),
            "out_of_order": self.out_of_order,
            "passed_over": [
                {"file": passed.file, "why": passed.why} for passed in self.passed_over
            ],
            "files": [file.as_json() for file in self.files],
        }
