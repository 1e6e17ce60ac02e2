"""What is in an archive, told without publishing anything of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from producers.formats.archive_format import parse_record
from producers.parsing.provenance import Parsed
from producers.replay.findings import Findings
from producers.replay.inspect_files import PassedOver
from producers.replay.plan import ArchiveFile
from producers.replay.positions import FilePosition
from producers.replay.record_reader import EXAMPLES, Placed, RecordReader
from producers.replay.time_range import Times, TimeSpan
from producers.replay.trial import SAYS_NOTHING
from schemas.events import TweetPosted

NO_LANGUAGE: Final = "none"


@dataclass
class Survey:
    """What one file holds: each line of it is among the events, refused or skipped."""

    file: ArchiveFile
    lines: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    span: TimeSpan = field(default_factory=TimeSpan)
    findings: Findings = field(default_factory=Findings)
    unknown: list[str] = field(default_factory=list)
    damage: str | None = None

    def add(self, placed: Placed, parsed: Parsed) -> None:
        """Take in what a record became."""
        self.skipped.update(parsed.skipped)
        self.findings.add(placed, parsed)
        for event in parsed.events:
            self.events[type(event).__name__] += 1
            if isinstance(event, TweetPosted):
                # Only a tweet without any time gets the moment at which its run began.
                if event.posted_at != placed.origin.run_started_at:
                    self.span.add(event)
                self.languages[event.language or NO_LANGUAGE] += 1
                if event.label is not None:
                    self.labels[event.label] += 1
        for refusal in parsed.refused:
            self.refused[refusal.reason] += 1
            examples = self.examples.setdefault(refusal.reason, [])
            if len(examples) < EXAMPLES:
                examples.append(f"{placed.file_name}:{placed.record.line}: {refusal.detail}")

    @property
    def overruled_times(self) -> int:
        """How many tweets have another time than their id holds."""
        return self.findings.overruled_times

    @property
    def nothing_usable(self) -> str | None:
        """Why nothing of the file can be used, None where something can."""
        if self.events or self.damage is not None or not SAYS_NOTHING.issuperset(self.skipped):
            return None
        return "no record of it is a tweet" if self.refused else "it has no tweets"

    def as_json(self) -> dict[str, object]:
        """Return the survey as a program reads it."""
        known = self.span.first is not None
        return {
            "file": self.file.shown,
            "format": self.file.format_name,
            "formats": dict(sorted(self.formats.items())),
            "lines": self.lines,
            "events": dict(sorted(self.events.items())),
            "skipped": dict(sorted(self.skipped.items())),
            "not_read": {
                reason: {"count": count, "examples": self.examples[reason]}
                for reason, count in sorted(self.refused.items())
            },
            "oldest": self.span.oldest.isoformat() if known else None,
            "newest": self.span.newest.isoformat() if known else None,
            **self.findings.as_json(),
            "nothing_usable": self.nothing_usable,
            "languages": dict(self.languages.most_common()),
            "labels": dict(self.labels.most_common()),
            "of_no_known_format": self.unknown,
            "damage": self.damage,
        }


@dataclass
class DryRun:
    """What all files hold."""

    surveys: list[Survey]
    passed_over: list[PassedOver]

    @property
    def damaged(self) -> bool:
        """Tell whether a file could not be read to its end."""
        return any(survey.damage is not None for survey in self.surveys)

    @property
    def useless(self) -> bool:
        """Tell whether nothing could be used of a file that a person named."""
        return any(survey.file.named and survey.nothing_usable for survey in self.surveys)

    def as_json(self) -> dict[str, object]:
        """Return all surveys as a program reads them."""
        return {
            "files": [survey.as_json() for survey in self.surveys],
            "passed_over": [
                {"file": passed.file, "why": passed.why} for passed in self.passed_over
            ],
        }


def survey_files(
    files: Sequence[ArchiveFile],
    times: Times,
    now: Callable[[], datetime],
    on_bytes: Callable[[int], None] = lambda _bytes: None,
) -> list[Survey]:
    """Read the files to their ends and return what they hold; needs no server.

    `times` leaves out what a replay would leave out. `on_bytes` gets the sizes in bytes of what
    was read.
    """
    return [_survey(file, times, now, on_bytes) for file in files]


def _survey(
    file: ArchiveFile,
    times: Times,
    now: Callable[[], datetime],
    on_bytes: Callable[[int], None],
) -> Survey:
    survey = Survey(file)
    with ExitStack() as stack:
        opened = None if file.stream is not None else stack.enter_context(file.path.open("rb"))
        began_at = now().replace(microsecond=0)
        reading = RecordReader(file, opened, run="none", run_started_at=began_at)
        told = 0
        for number, placed in enumerate(reading.records(FilePosition())):
            if placed is None:
                continue
            received_at = now()
            parsed = parse_record(placed.reader, placed.record, placed.origin, received_at)
            survey.add(placed, times.applied(parsed, received_at))
            if number % 1_000 == 0 and opened is not None:
                on_bytes(opened.tell() - told)
                told = opened.tell()
        on_bytes(file.size_bytes - told)
        survey.lines = reading.lines
        survey.formats = reading.formats
        survey.unknown = reading.unknown
        survey.damage = reading.damage
        survey.findings.ids.forget()
    return survey
