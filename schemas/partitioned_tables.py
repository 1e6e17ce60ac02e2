"""The partitioned tables: a run comes and goes with its partition of each."""

from typing import Final

BY_DAY: Final = ("tweets", "scores")
"""Each run is a partition, and that of `live` is itself partitioned by day."""

BY_RUN: Final = ("rollups", "hashtag_rollups")
"""Each run is a partition; the figures of `live` outlive its days."""

PARTITIONED: Final = (*BY_DAY, *BY_RUN)
