"""Figures to shapes. Pure.

A chart is SVG that is stretched to its place, with its axes as text beside it. It is there without
scripts, its buckets are links, and a report can hold it as it is. A plot is 1,000 units wide and
100 high.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from stream_processors.aggregates.aggregates import AuditedSpan, SeriesPoint

WIDTH: Final = 1000.0
HEIGHT: Final = 100.0
_TICKS_OF_TIME: Final = 5
_LEAST_BAND: Final = 0.006
_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


class Band(NamedTuple):
    """A label's area in a stack, as the path of an SVG."""

    label: str
    path: str


class Bucket(NamedTuple):
    """A step of the series: where it stands, from when to when, and what it holds."""

    x: float
    width: float
    start: datetime
    end: datetime
    tweets: int
    by_label: dict[str, int]


class StackedChart(NamedTuple):
    """Labels over time, one upon the other.

    `top` is the value of the highest line: tweets of a bucket, or 1 for shares. `ticks` are moments
    in even distances, the first at the left edge and the last at the right one.
    """

    bands: list[Band]
    buckets: list[Bucket]
    top: float
    ticks: list[datetime]

    def place_of(self, moment: datetime) -> float | None:
        """Return where a moment stands, or None where it is beyond the chart."""
        if not self.buckets:
            return None
        start, end = self.buckets[0].start, self.buckets[-1].end
        if not start <= moment <= end:
            return None
        return round((moment - start) / (end - start) * WIDTH, 1)


def stacked_chart(
    series: Sequence[SeriesPoint], step: timedelta, labels: Sequence[str], *, as_shares: bool
) -> StackedChart:
    """Return the chart of a series; the first of `labels` lies at the bottom."""
    width = WIDTH / max(len(series), 1)
    buckets = [
        Bucket(
            round(number * width, 2),
            round(width, 2),
            point.start,
            point.start + step,
            sum(point.by_label.values()),
            point.by_label,
        )
        for number, point in enumerate(series)
    ]
    top = 1.0 if as_shares else round_up(max((bucket.tweets for bucket in buckets), default=0))
    heights = [0.0] * len(buckets)
    bands = []
    for label in labels:
        lower = heights
        heights = [
            height + _part(bucket, label, as_shares=as_shares) / top
            for height, bucket in zip(heights, buckets, strict=True)
        ]
        bands.append(Band(label, _stairs(buckets, lower, heights)))
    ticks: list[datetime] = []
    if series:
        whole = buckets[-1].end - buckets[0].start
        ticks = [
            buckets[0].start + whole * number / (_TICKS_OF_TIME - 1)
            for number in range(_TICKS_OF_TIME)
        ]
    return StackedChart(bands, buckets, top, ticks)


class AuditedBand(NamedTuple):
    """Where a label's upper or lower edge lies in the stack, as people would count it."""

    label: str
    x: float
    width: float
    y: float
    height: float


def audited_bands(
    chart: StackedChart, spans: Sequence[AuditedSpan], labels: Sequence[str]
) -> list[AuditedBand]:
    """Return the intervals of audited shares in a chart of shares.

    The first label's share is its upper edge, the last one's is measured from the top. Those in
    between have no edge of their own.
    """
    edges = list(dict.fromkeys([*labels[:1], *labels[-1:]]))
    bands = []
    for span in spans:
        left, right = chart.place_of(span.start), chart.place_of(span.end)
        shares = {share.label: share.audited for share in span.labels}
        for label in edges:
            audited = shares.get(label)
            if audited is None or left is None or right is None:
                continue
            top = 1 - audited.high if label == labels[0] else audited.low
            height = max(audited.high - audited.low, _LEAST_BAND)
            bands.append(
                AuditedBand(
                    label,
                    left,
                    round(right - left, 1),
                    round(top * HEIGHT, 2),
                    round(height * HEIGHT, 2),
                )
            )
    return bands


def volume_path(buckets: Sequence[Bucket]) -> str:
    """Return how many tweets there were in each bucket, as the path of an SVG."""
    top = max((bucket.tweets for bucket in buckets), default=0)
    if not top:
        return ""
    return _stairs(buckets, [0.0] * len(buckets), [bucket.tweets / top for bucket in buckets])


def round_up(value: float) -> float:
    """Return the nearest round number that is not smaller, so that halves of it are round too."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(power * step for step in _ROUND if power * step >= value)


class Piece(NamedTuple):
    """A label's part of a bar."""

    label: str
    x: float
    width: float
    tweets: int
    share: float


def bar_of(by_label: Mapping[str, int], labels: Sequence[str]) -> list[Piece]:
    """Return the pieces of a bar that is 1,000 units wide, without those of no tweet."""
    total = sum(by_label.values())
    pieces, x = [], 0.0
    for label in labels:
        tweets = by_label.get(label, 0)
        if tweets:
            width = tweets / total * WIDTH
            pieces.append(Piece(label, round(x, 2), round(width, 2), tweets, tweets / total))
            x += width
    return pieces


def _part(bucket: Bucket, label: str, *, as_shares: bool) -> float:
    tweets = bucket.by_label.get(label, 0)
    if not as_shares:
        return tweets
    return tweets / bucket.tweets if bucket.tweets else 0.0


def _stairs(buckets: Sequence[Bucket], lower: Sequence[float], upper: Sequence[float]) -> str:
    """Return an area between two lines that go in steps; empty stretches are left out."""
    parts: list[str] = []
    at = 0
    while at < len(buckets):
        if upper[at] <= lower[at]:
            at += 1
            continue
        end = at
        while end < len(buckets) and upper[end] > lower[end]:
            end += 1
        stretch = range(at, end)
        there = [f"M{_x(buckets[at].x)} {_y(lower[at])}"]
        there += [f"V{_y(upper[n])}H{_x(buckets[n].x + buckets[n].width)}" for n in stretch]
        back = [f"V{_y(lower[n])}H{_x(buckets[n].x)}" for n in reversed(stretch)]
        parts.append("".join([*there, *back, "Z"]))
        at = end
    return "".join(parts)


def _x(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _y(height: float) -> str:
    return f"{HEIGHT * (1 - height):.2f}".rstrip("0").rstrip(".")
