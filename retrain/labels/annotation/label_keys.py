"""Which key means what, in the terminal and on the page."""

from collections.abc import Sequence
from typing import Final

from schemas.failures import Failure

UNDO: Final = "u"
SKIP: Final = "s"
UNSURE: Final = "?"
QUIT: Final = "q"
_KEYS: Final = "123456789abcdefghijklmnoprtvwxyz"


def keys_of(labels: Sequence[str]) -> dict[str, str]:
    """Return each label by its key: 1 to 9, then letters. Raises `Failure` for too many labels."""
    if len(labels) > len(_KEYS):
        raise Failure(
            f"{len(labels)} labels are too many for single keys: label in another tool, see"
            " `murmur labels export --queue 50 --format label-studio`"
        )
    return dict(zip(_KEYS, labels, strict=False))
