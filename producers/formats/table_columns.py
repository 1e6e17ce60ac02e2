"""Which columns of a table are read, and for what."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from producers.formats.named_values import COLUMNS
from schemas.failures import Failure

NOT_READ: Final = "-"
OTHER_NAMES: Final = ("tweet_id", "status_id", "id_str")
"""Names that mean an id wherever they stand; of others, as `sentiment`, a person has to say it."""

_MOST_NAMES: Final = 12


@dataclass(frozen=True)
class TableColumns:
    """`read` gives the file's name of each column that is read; `passed_over` are the others.

    `taken_for` names columns that were taken for others without being asked.
    """

    read: Mapping[str, str] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()
    taken_for: tuple[tuple[str, str], ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All names that were found."""
        return (*self.read.values(), *self.passed_over)


def table_columns(
    names: Sequence[str], mapping: Sequence[tuple[str, str]], *, by_position: bool = False
) -> TableColumns:
    """Return how the columns of a file are read; `mapping` is what a person said of it.

    Raises `Failure` where a column that is meant is not there, or there twice.
    """
    exact = {name.lower(): name for name in reversed(names)}
    said = {
        known: name if name in names else exact.get(name.lower(), name) for known, name in mapping
    }
    read = {}
    taken_for = []
    for known in COLUMNS:
        wanted = said.get(known, known)
        if wanted == NOT_READ:
            continue
        if known == "id" and known not in said and known not in names and not by_position:
            other = next((name for name in OTHER_NAMES if name in names), None)
            if other is not None and other not in said.values():
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
    used = set(read.values())
    others = tuple(name for name in dict.fromkeys(names) if name not in {*used, NOT_READ, ""})
    return TableColumns(read, others, tuple(taken_for))


def listed(names: Sequence[str]) -> str:
    """Return the names as a person is told of them, not too many."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
