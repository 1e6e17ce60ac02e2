"""Rows that repeat an id with another text, and ids that lost their last digits."""

from array import array
from dataclasses import dataclass, field
from typing import Final

from schemas.events import TweetPosted

_SLOTS: Final = 2**20
_MANY: Final = 20
"""From so many ids on, what all of them share is no chance."""

_FIRST_UNSAFE: Final = 2**53
_EXCEL_DIGITS: Final = 15


def _empty_slots() -> "array[int]":
    return array("Q", bytes(8 * _SLOTS))


@dataclass
class RepeatedIds:
    """Counts tweets whose id an earlier one had with another text: they are one row.

    Remembers about a million ids, in 16 MiB; of more the older ones may be forgotten.
    """

    repeats: int = 0
    long_ids: int = 0
    rounded: int = 0
    of_15_digits: int = 0
    _ids: "array[int]" = field(default_factory=lambda: array("Q"))
    _texts: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, tweet: TweetPosted) -> None:
        """Take a tweet in."""
        own_id = tweet.tweet_id
        if not self._ids:
            self._ids, self._texts = _empty_slots(), _empty_slots()
        known_id = hash(own_id) & 0xFFFF_FFFF_FFFF_FFFF
        text = hash(tweet.text) & 0xFFFF_FFFF_FFFF_FFFF
        slot = known_id % _SLOTS
        if self._ids[slot] == known_id:
            self.repeats += self._texts[slot] != text
        else:
            self._ids[slot], self._texts[slot] = known_id, text
        if 17 <= len(own_id) <= 19 and own_id.isdigit():
            number = int(own_id)
            self.long_ids += 1
            step = 1 << max(0, number.bit_length() - 53)
            self.rounded += number % step == 0
            self.of_15_digits += not own_id[_EXCEL_DIGITS:].strip("0")

    def forget(self) -> None:
        """Give the memory back; the counts stay."""
        self._ids, self._texts = array("Q"), array("Q")

    def sentences(self) -> list[str]:
        """Return what a person should know of the ids."""
        said = []
        if self.repeats:
            said.append(
                f"{self.repeats:,} rows repeat an id with another text: of those with the same id "
                "one is stored"
            )
        if self.long_ids >= _MANY and self.of_15_digits == self.long_ids:
            said.append(
                f"all {self.long_ids:,} long ids end in zeros behind 15 digits, as a spreadsheet "
                "leaves them: different tweets may share one. Export them anew as text, or leave "
                "them out, --columns id=-"
            )
        elif self.long_ids >= _MANY and self.rounded == self.long_ids:
            said.append(
                f"all {self.long_ids:,} long ids are rounded, as JavaScript and data frames round "
                "numbers: different tweets may share one. Export them anew as text, or leave them "
                "out, --columns id=-"
            )
        return said
