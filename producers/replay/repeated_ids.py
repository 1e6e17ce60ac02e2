"""Rows that repeat an id with another text, and ids that lost their last digits."""

from array import array
from dataclasses import dataclass, field
from typing import Final

from schemas.events import TweetPosted

_SLOTS: Final = 2**20
_MANY: Final = 20
"""From so many ids on, what all of them share is no chance."""

_EXCEL_DIGITS: Final = 15


def _slots(count: int) -> "array[int]":
    return array("q", bytes(8 * count))


@dataclass
class RepeatedIds:
    """Counts tweets whose id an earlier one had with another text: they are one row.

    Remembers about a million ids, in 16 MiB; of more the older ones may be forgotten. `rounded`
    and `of_15_digits` count long ids that may have lost digits, as long as all of them may.
    """

    repeats: int = 0
    long_ids: int = 0
    rounded: int = 0
    of_15_digits: int = 0
    _ids: "array[int]" = field(default_factory=lambda: _slots(0))
    _texts: "array[int]" = field(default_factory=lambda: _slots(0))

    def add(self, tweet: TweetPosted) -> None:
        """Take a tweet in."""
        own_id = tweet.tweet_id
        ids = self._ids
        if not ids:
            ids = self._ids = _slots(_SLOTS)
            self._texts = _slots(_SLOTS)
        known_id, text = hash(own_id), hash(tweet.text)
        slot = known_id % _SLOTS
        if ids[slot] == known_id:
            self.repeats += self._texts[slot] != text
        else:
            ids[slot], self._texts[slot] = known_id, text
        # The first whole id tells that none was rounded.
        if max(self.rounded, self.of_15_digits) == self.long_ids:
            self._add_digits(own_id)

    def _add_digits(self, own_id: str) -> None:
        if 17 <= len(own_id) <= 19 and own_id.isdigit():
            number = int(own_id)
            self.long_ids += 1
            self.rounded += number % (1 << max(0, number.bit_length() - 53)) == 0
            self.of_15_digits += not own_id[_EXCEL_DIGITS:].strip("0")

    def forget(self) -> None:
        """Give the memory back; the counts stay."""
        self._ids, self._texts = _slots(0), _slots(0)

    @property
    def lost_digits(self) -> int:
        """How many ids were rounded, 0 where not all were, or too few to tell."""
        alike = max(self.rounded, self.of_15_digits) == self.long_ids
        return self.long_ids if alike and self.long_ids >= _MANY else 0

    def sentences(self) -> list[str]:
        """Return what a person should know of the ids."""
        said = []
        if self.repeats:
            said.append(
                f"{self.repeats:,} rows repeat an id with another text; only one row of each id is "
                "stored"
            )
        if self.lost_digits and self.of_15_digits == self.long_ids:
            said.append(
                f"all {self.long_ids:,} long ids end in zeros behind 15 digits, as a spreadsheet "
                "leaves them: different tweets may share one. Export them again as text, or "
                "leave them out with --columns id=-"
            )
        elif self.lost_digits:
            said.append(
                f"all {self.long_ids:,} long ids are rounded, as JavaScript and data frames round "
                "numbers: different tweets may share one. Export them again as text, or leave them "
                "out with --columns id=-"
            )
        return said
