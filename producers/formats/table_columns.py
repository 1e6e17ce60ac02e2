"""Which columns of a table are read, and for what."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from producers.formats.named_values import COLUMNS
from producers.formats.other_names import IDS, TEXTS, first_of, spelled_otherwise, time_like
from schemas.failures import Failure

NOT_READ: Final = "-"
_MOST_NAMES: Final = 12


@dataclass(frozen=True)
class TableColumns:
    """`read` gives the file's name of each column that is read; `passed_over` are the others.

    `taken_for` names columns that were taken for others without being asked. `fuller` has the whole
    of a text that stands cut in another column.
    """

    read: Mapping[str, str] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()
    taken_for: tuple[tuple[str, str], ...] = ()
    fuller: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """All names that were found."""
        return (*self.read.values(), *self.passed_over)


def table_columns(
    names: Sequence[str],
    mapping: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, object]] = (),
    *,
    by_position: bool = False,
) -> TableColumns:
    """Return how the columns of a file are read; `mapping` is what a person said of it.

    `rows` are the first ones, by which a column of dates is known.

    Raises `Failure` where a column that is meant is not there, or there twice.
    """
    exact = {name.lower(): name for name in reversed(names)}
    said = {
        known: name if name in names else exact.get(name.lower(), name) for known, name in mapping
    }
    read: dict[str, str] = {}
    taken_for = []
    for known in COLUMNS:
        wanted = said.get(known, known)
        if wanted == NOT_READ:
            continue
        if known not in said and known not in names and not by_position:
            other = _other_name(known, names, rows)
            other = _unused(other, {*said.values(), *read.values()})
            if other is not None:
                wanted = other
                taken_for.append((other, known))
        if wanted in names:
            if known in said or wanted not in said.values():
                read[known] = wanted
        elif known in said:
            raise Failure(f"there is no column named {wanted}: the header has {listed(names)}")
    counts = Counter(names)
    twice = [name for name in read.values() if counts[name] > 1]
    if twice:
        raise Failure(f"the column {twice[0]} is named twice: rename one, with --columns")
    fuller = None
    if read.get("text") == "text" and "text" not in said and not by_position:
        fuller = _unused(spelled_otherwise(names, "full_text"), {*said.values(), *read.values()})
    taken_for += [(fuller, "text")] if fuller is not None else []
    used = {*read.values(), fuller}
    others = tuple(name for name in dict.fromkeys(names) if name not in {*used, NOT_READ, ""})
    return TableColumns(read, others, tuple(taken_for), fuller)


def _unused(name: str | None, used: set[str]) -> str | None:
    return None if name in used else name


def _other_name(
    known: str, names: Sequence[str], rows: Sequence[Mapping[str, object]]
) -> str | None:
    """Return the column that is known by another name; what a label is, a person has to say."""
    if known == "label":
        return None
    other = spelled_otherwise((name for name in names if not name.startswith("_")), known)
    if other is None and known == "id":
        other = first_of(names, IDS)
    if other is None and known == "text":
        other = first_of(names, TEXTS)
    if other is None and known == "created_at":
        other = time_like(names, lambda name: [row.get(name) for row in rows])
    return other


def listed(names: Sequence[str]) -> str:
    """Return the names as a person is told of them, not too many."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
