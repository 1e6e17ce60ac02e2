"""Labels of a file into the table: every row is stored, or counted with its fault."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.labels.files.file_row import Fault, FileRow
from retrain.labels.run_labels import labels_of_run
from retrain.labels.stored_tweets import find_versions
from retrain.labels.write_labels import LabelKey, PersonsLabel, write_labels
from schemas.failures import Failure
from schemas.people_labels import LabelOrigin
from schemas.storable_text import storable_text
from schemas.transport.postgres import Connection
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT

_AT_ONCE: Final = 5_000
"""Labels of one transaction: a longer one would keep removals waiting."""

_MOST_NAMED: Final = 20
_MOST_CHARS: Final = 100
_VERSION: Final = re.compile(r"[0-9]{0,2}")
_ID: Final = re.compile(r"[0-9a-f]{1,64}")


class UnusableFile(Failure):
    """No row of the file could be stored, or is stored already."""


class ImportChoice(Struct, frozen=True, kw_only=True):
    """What the person says of the whole file.

    A row that comes from an export of Murmur has an origin of its own, and keeps it: but without
    `answer_seen` being denied (None or True) none of them audits. `origin` None: each row has its
    own. `labeller` stands where a row names nobody.
    """

    run: str
    origin: LabelOrigin | None
    answer_seen: bool | None
    labeller: str
    replace: bool = False

    def origin_of(self, row: FileRow) -> LabelOrigin:
        """Return the origin under which a row is stored."""
        own = LabelOrigin(row.origin) if row.origin in set(LabelOrigin) else self.origin
        if own is None:
            raise UnusableFile(
                f"{row.place} does not say why the tweet was labelled: name --origin, which stands "
                "for all rows that do not"
            )
        if own is LabelOrigin.AUDIT and self.answer_seen is not False:
            return LabelOrigin.QUEUE
        return own


class FaultyRow(Struct, frozen=True):
    """One of the rows that were not stored."""

    place: str
    tweet_id: str
    label: str


class FaultyRows(Struct, frozen=True, kw_only=True):
    """How many rows have a fault, and the first 20 of them."""

    rows: int
    examples: list[FaultyRow]


class ImportReport(Struct, frozen=True, kw_only=True):
    """What became of a file's rows: `rows` = stored + replaced + unchanged + those with faults.

    `audits_as_queue` counts the stored rows that were audits where they come from, and are queue
    labels here, since nobody said that their labellers saw no answer. `unknown_labels` counts rows
    by labels that the run's models do not have, the most frequent ones; `labels` are those that
    they have.
    """

    run: str
    rows: int
    stored: int
    replaced: int
    unchanged: int
    by_origin: dict[str, int]
    audits_as_queue: int
    labels: tuple[str, ...]
    unknown_labels: dict[str, int]
    faults: dict[str, FaultyRows]


@dataclass
class _Sifting:
    """The rows that can be stored so far, and the others by their fault."""

    good: dict[LabelKey, tuple[FileRow, PersonsLabel]] = field(default_factory=dict)
    faulty: dict[Fault, list[FileRow]] = field(default_factory=lambda: defaultdict(list))

    def put_back(self, key: LabelKey, fault: Fault) -> None:
        """Take a row out again, for a fault that others than the row itself have shown."""
        row, _ = self.good.pop(key)
        self.faulty[fault].append(row)


def import_rows(
    connection: Connection, rows: Sequence[FileRow], choice: ImportChoice, now: datetime
) -> ImportReport:
    """Store a file's labels of tweets that the run has; may be repeated.

    What is stored already is left as it is, unless `choice.replace`. Raises `UnusableFile` where
    nothing of the file is stored, now or before.
    """
    with connection, connection.cursor() as cur:
        labels = labels_of_run(cur, choice.run)
    named = {row.tweet_id for row in rows if row.fault is None and _ID.fullmatch(row.tweet_id)}
    found = find_versions(connection, choice.run, named)
    sifting = sift(rows, choice, labels=labels, found=found, now=now)
    stored: Counter[str] = Counter()
    keys = sorted(sifting.good)
    for start in range(0, len(keys), _AT_ONCE):
        with connection, connection.cursor() as cur:
            stored += _store(cur, keys[start : start + _AT_ONCE], sifting, choice)
    report = ImportReport(
        run=choice.run,
        rows=len(rows),
        stored=stored["stored"],
        replaced=stored["replaced"],
        unchanged=stored["unchanged"],
        by_origin=dict(sorted(Counter(key.origin.value for key in sifting.good).items())),
        audits_as_queue=sum(
            row.origin == LabelOrigin.AUDIT and key.origin is LabelOrigin.QUEUE
            for key, (row, _) in sifting.good.items()
        ),
        labels=labels,
        unknown_labels=dict(
            Counter(
                row.label[:_MOST_CHARS] for row in sifting.faulty[Fault.UNKNOWN_LABEL]
            ).most_common(_MOST_NAMED)
        ),
        faults={
            fault.value: FaultyRows(
                rows=len(faulty),
                examples=[
                    FaultyRow(row.place, row.tweet_id, row.label) for row in faulty[:_MOST_NAMED]
                ],
            )
            for fault, faulty in sorted(sifting.faulty.items())
            if faulty
        },
    )
    if not sifting.good:
        raise UnusableFile(f"nothing was imported: {_sentence(report)}")
    return report


def sift(
    rows: Iterable[FileRow],
    choice: ImportChoice,
    *,
    labels: Collection[str],
    found: Mapping[str, tuple[str, int]],
    now: datetime,
) -> _Sifting:
    """Part the rows that can be stored from the others. Pure.

    `found` has root id and version of the ids that the run has. Where one person gives one version
    two labels in the file, neither is taken.
    """
    sifting = _Sifting()
    conflicting: set[LabelKey] = set()
    for row in rows:
        read = _read(row, choice, labels, found, now)
        if isinstance(read, Fault):
            sifting.faulty[read].append(row)
        elif read.key in conflicting:
            sifting.faulty[Fault.CONFLICTING].append(row)
        elif read.key not in sifting.good:
            sifting.good[read.key] = row, read
        elif sifting.good[read.key][1].label == read.label:
            sifting.faulty[Fault.REPEATED].append(row)
        else:
            conflicting.add(read.key)
            sifting.put_back(read.key, Fault.CONFLICTING)
            sifting.faulty[Fault.CONFLICTING].append(row)
    return sifting


def _read(
    row: FileRow,
    choice: ImportChoice,
    labels: Collection[str],
    found: Mapping[str, tuple[str, int]],
    now: datetime,
) -> PersonsLabel | Fault:
    origin = choice.origin_of(row)
    if fault := _fault_of(row, origin, labels, found):
        return fault
    root_id, version = found[row.tweet_id]
    if row.version:
        version = int(row.version)
    seen = origin is LabelOrigin.CORRECTION if choice.answer_seen is None else choice.answer_seen
    labeller = storable_text(row.labeller or choice.labeller)[:_MOST_CHARS]
    key = LabelKey(choice.run, root_id, version, labeller, origin, int(row.repeat or 0))
    labelled_at = _moment(row.labelled_at) if row.labelled_at else now
    if labelled_at is None:
        return Fault.BAD_TIME
    return PersonsLabel(key, row.label, seen or row.answer_shown, labelled_at)


def _fault_of(
    row: FileRow,
    origin: LabelOrigin,
    labels: Collection[str],
    found: Mapping[str, tuple[str, int]],
) -> Fault | None:
    checks = {
        Fault.NO_ID: not row.tweet_id,
        Fault.NO_LABEL: not row.label,
        Fault.UNKNOWN_TWEET: row.tweet_id not in found,
        Fault.UNKNOWN_LABEL: row.label not in labels,
        Fault.ANSWER_SHOWN: origin is LabelOrigin.AUDIT and row.answer_shown,
        Fault.BAD_VERSION: _VERSION.fullmatch(row.version) is None,
        Fault.BAD_REPEAT: row.repeat not in ("", "0", "1"),
    }
    return row.fault or next((fault for fault, is_so in checks.items() if is_so), None)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if FIRST_TWEET <= moment <= LAST_MOMENT else None


def _store(
    cur: cursor, keys: Sequence[LabelKey], sifting: _Sifting, choice: ImportChoice
) -> Counter[str]:
    before = _stored_labels(cur, choice.run, {key.root_id for key in keys})
    counts: Counter[str] = Counter()
    new = []
    for key in keys:
        label = sifting.good[key][1]
        if key not in before:
            new.append(label)
        elif before[key] == label.label:
            counts["unchanged"] += 1
        elif choice.replace:
            new.append(label)
        else:
            sifting.put_back(key, Fault.DIFFERS)
    written = write_labels(cur, new)
    for label in new:
        if label.key in written:
            counts["replaced" if label.key in before else "stored"] += 1
        else:
            sifting.put_back(label.key, Fault.UNKNOWN_VERSION)
    return counts


def _stored_labels(cur: cursor, run: str, root_ids: Collection[str]) -> dict[LabelKey, str | None]:
    cur.execute(
        "SELECT root_id, version, labeller, origin, repeat, label FROM labels"
        " WHERE run = %s AND root_id = ANY(%s)",
        (run, sorted(root_ids)),
    )
    return {
        LabelKey(run, root_id, version, labeller, LabelOrigin(origin), repeat): label
        for root_id, version, labeller, origin, repeat, label in cur
    }


def accepted_labels(report: ImportReport) -> str:
    """Say which labels of the file are none, and which there are."""
    unknown = ", ".join(f"{label!r} ({rows:,})" for label, rows in report.unknown_labels.items())
    return f"unknown labels: {unknown}; accepted: {', '.join(map(repr, report.labels))}"


def _sentence(report: ImportReport) -> str:
    faults = [f"{faulty.rows:,} × {fault}" for fault, faulty in report.faults.items()]
    if not faults:
        return "the file has no rows"
    first = next(iter(report.faults.values())).examples[0]
    named = " ".join(filter(None, [first.place, first.tweet_id, repr(first.label)]))
    said = f"{', '.join(faults)}; for example {named}"
    return f"{said}; {accepted_labels(report)}" if report.unknown_labels else said
