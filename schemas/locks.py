"""PostgreSQL's advisory locks: who excludes whom.

The numbers are arbitrary but for ever: processes of two releases must mean the same lock.
"""

from typing import Final

MIGRATIONS: Final = 7_264_000
"""Held while migrations are applied. Unlike yoyo's own lock, which is a row, it ends with the
connection: a process that is killed leaves nothing to be removed by hand."""

REMOVALS: Final = 7_264_001
"""Shared by transactions that add tweets, exclusive to those that remove some: a tweet and its
removal in two concurrent transactions could otherwise miss each other."""

REFRESHER: Final = 7_264_002
"""Held by the one process that refreshes the aggregates in Redis."""

RUN_CREATION: Final = 7_264_003
"""Held while the partitions of a run are made or dropped."""

REDRIVE: Final = 7_264_004
"""Held by the one command that publishes dead letters again."""

WATCH: Final = 7_264_007
"""Held by whoever moves the windows of `murmur watch`, and taken before `REMOVALS`."""

STREAM: Final = 7_264_010
"""Held by the one process that is connected to X's stream."""

COMPLIANCE_STREAM: Final = 7_264_011
"""Held by the one process that is connected to X's compliance streams."""
