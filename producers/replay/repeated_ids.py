"""Rows that repeat an id with another text, and ids that lost their last digits."""

from array import array
from dataclasses import dataclass, field
from typing import Final

from schemas.events import TweetPosted

_SLOTS: Final = 2**20
_FEWEST_DECIMAL: Final = 10
_SHARE_DECIMAL: Final = 0.9
"""Of 62,490 ids of 2012 to 2017 (SemEval), 7 % look as if JavaScript had written them, 12 % of
those of 17 digits: ten that do are no chance, nor are nine of ten of many."""

_FEWEST_EXACT: Final = 300
"""77 % of the same ids are whole doubles, since most end in 12 zero bits. So many in a row are not:
at 95 % it would be one file in five million."""

_EXCEL_DIGITS: Final = 15
_EXACT_BITS: Final = 53


def _as_javascript_writes(number: int) -> int:
    """Return a number as JavaScript writes it: the fewest digits that give the same double."""
    digits, _, exponent = repr(float(number)).partition("e")
    whole, _, fraction = digits.partition(".")
    if not exponent:
        return int(float(number))
    return int((whole + fraction).ljust(int(exponent) + 1, "0"))


def _slots(count: int) -> "array[int]":
    return array("q", bytes(8 * count))


@dataclass
class RepeatedIds:
    """Counts tweets whose id an earlier one had with another text: they are one row.

    Remembers about a million ids, in 16 MiB; of more the older ones may be forgotten. Of long ids
    it counts those that may have lost digits: `exact` are whole doubles, `decimal` are what
    JavaScript writes for one, `of_15_digits` end in zeros.
    """

    repeats: int = 0
    long_ids: int = 0
    exact: int = 0
    decimal: int = 0
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
        if 17 <= len(own_id) <= 19 and own_id.isdigit():
            self._add_digits(int(own_id))

    def _add_digits(self, number: int) -> None:
        self.long_ids += 1
        if number % 10 == 0:
            self.decimal += _as_javascript_writes(number) == number
            self.of_15_digits += not str(number)[_EXCEL_DIGITS:].strip("0")
        # One that is no double tells that none was rounded to doubles.
        if self.exact == self.long_ids - 1:
            self.exact += number % (1 << max(0, number.bit_length() - _EXACT_BITS)) == 0

    def forget(self) -> None:
        """Give the memory back; the counts stay."""
        self._ids, self._texts = _slots(0), _slots(0)

    @property
    def lost_digits(self) -> int:
        """How many ids have lost digits; 0 where that may be chance."""
        if self._many(self.of_15_digits):
            return self.of_15_digits
        if self._many(self.decimal):
            return self.decimal
        all_exact = self.exact == self.long_ids >= _FEWEST_EXACT
        return self.long_ids if all_exact else 0

    def _many(self, count: int) -> bool:
        return count >= max(_FEWEST_DECIMAL, _SHARE_DECIMAL * self.long_ids)

    def sentences(self) -> list[str]:
        """Return what a person should know of the ids."""
        said = []
        if self.repeats:
            said.append(
                f"{self.repeats:,} rows repeat an id with another text; only one row of each id is "
                "stored"
            )
        if self.lost_digits:
            how = "are rounded, as JavaScript and data frames round numbers"
            if self._many(self.of_15_digits):
                how = "end in zeros behind 15 digits, as a spreadsheet leaves them"
            of_all = "all" if self.lost_digits == self.long_ids else f"{self.lost_digits:,} of"
            said.append(
                f"{of_all} {self.long_ids:,} long ids {how}: different tweets may share one. "
                "Export them again as text, or leave them out with --columns id=-"
            )
        return said
