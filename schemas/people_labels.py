"""Labels that people give: where they come from, and which tweets are audited.

Only audits estimate, gate and alarm: they are a uniform sample of the tweets, labelled without
sight of the model's answer. The other labels were chosen by somebody, so they only train.
"""

import hashlib
from enum import StrEnum
from typing import Final

AUDIT_RANKS: Final = 1 << 60
"""Ranks are below this."""

ARCHIVE: Final = "archive"
"""The labeller of what an archive itself brings, in its column `label`."""


class LabelOrigin(StrEnum):
    """Why a tweet came before a person."""

    AUDIT = "audit"
    QUEUE = "queue"
    CORRECTION = "correction"
    IMPORT = "import"


def audit_rank(root_id: str) -> int:
    """Return a tweet's place in the order of audits: the lowest ranks are audited first.

    Uniform over 0 to `AUDIT_RANKS` - 1 and decided by the id alone: every process draws the same
    sample, and the first ranks of any choice of tweets by time, rule or language are a uniform
    sample of it. PostgreSQL's `audit_rank` gives the same number.
    """
    return int(hashlib.sha256(f"murmur-audit:{root_id}".encode()).hexdigest()[:15], 16)
