"""The words of a text as numbers: enough to see that people speak of something else."""

import re
import zlib
from typing import Final

MOST_WORDS: Final = 200
"""Of a longer text only these first ones count, so that no text is dear."""

_NO_WORDS = re.compile(r"https?://\S+|@\w+")
_WORD = re.compile(r"[^\W_][\w'’]*")


def hashed_words(text: str) -> frozenset[int]:
    """Return the words of a text, each as a number of 32 bits (CRC-32), without their order.

    Case does not matter. Links and mentions are no words; a hashtag is one.
    """
    bare = _NO_WORDS.sub(" ", text).casefold()
    found = (word.group() for word, _ in zip(_WORD.finditer(bare), range(MOST_WORDS), strict=False))
    return frozenset(zlib.crc32(word.encode()) for word in found)
