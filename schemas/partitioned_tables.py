"""Which tables hold what of a run: partitions that come and go with it, and rows of its tweets."""

from typing import Final

BY_DAY: Final = ("tweets", "scores")
"""Each run is a partition, and that of `live` is itself partitioned by day."""

BY_RUN: Final = ("rollups", "hashtag_rollups")
"""Each run is a partition; the figures of `live` outlive its days."""

PARTITIONED: Final = (*BY_DAY, *BY_RUN)

BY_TWEET: Final = ("labels", "watch_audits", "watch_samples", "shadow_scores")
"""Rows by `run` and `root_id` that leave with their tweet: in the sink's transaction where it is
deleted or its author erased, with its day where that is pruned, with its run. An edit takes none
of them away."""

AHEAD_OF_THE_SINK: Final = ("watch_samples", "shadow_scores")
"""Those of `BY_TWEET` that may hold a tweet before the sink does, with its `author_id`: a removal
deletes by the ids that it names, whether the sink has ever stored the tweet or not."""
