"""The shares of labels over the last day of the live stream, as counted and as audited."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry

from schemas.events import LIVE
from schemas.process.metric_list import AGGREGATES_LIVE_SHARE
from stream_processors.aggregates.aggregates import Aggregates

_WINDOW: Final = "1d"
_MOST_LABELS: Final = 50


class ShareMetrics:
    """Shows `counted` for each label, and the audited share with its 95 % interval where it is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._share = AGGREGATES_LIVE_SHARE.register(registry)

    def show(self, aggregates: Iterable[Aggregates]) -> None:
        """Take over the figures of a run; those of replays are left out."""
        for figures in aggregates:
            if figures.run != LIVE or figures.window != _WINDOW:
                continue
            self._share.clear()
            for share in figures.audit.labels[:_MOST_LABELS]:
                self._share.labels(share.label, "counted").set(share.counted)
                if share.audited is not None:
                    for name in ("share", "low", "high"):
                        figure = "audited" if name == "share" else name
                        self._share.labels(share.label, figure).set(getattr(share.audited, name))
