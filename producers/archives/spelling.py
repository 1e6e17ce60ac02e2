"""Names of columns and fields, whatever a program makes of spaces and capitals."""

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\W_]+")


def squashed(name: str) -> str:
    """Return a name without what spellings differ in: `createdAt` and `Created At` are one."""
    return _SEPARATORS.sub("", name).casefold()
