"""The quality of a run's data, as people read it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from retrain.data_quality.schema import DataQuality, Point
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table

_MOST_CHARS: Final = 40
_MOST_LANGUAGES: Final = 10
_MOST_LABELS: Final = 5
_MOST_STEPS: Final = 24


def data_quality_view(quality: DataQuality) -> RenderableType:
    """Return everything that `murmur data-quality` shows."""
    head = (
        f"run {quality.run}, {_moment(quality.start)} to {_moment(quality.end)} UTC: "
        f"{quality.tweets:,} scored tweets, {quality.retweets:,} of them retweets"
    )
    return Group(
        Text(head),
        "",
        _findings(quality),
        "",
        *_tables(quality),
        _over_time(quality),
    )


def _findings(quality: DataQuality) -> RenderableType:
    own = max(1, quality.tweets - quality.retweets)
    languages, pieces = quality.languages, quality.unknown_pieces
    table = plain_table("finding", "tweets", "", numbers=("tweets",))
    rows = [
        ("repeated texts", _count(quality.duplicates.repeats, own), "without retweets"),
        ("texts that are empty", _count(quality.empty.no_text, own), ""),
        ("only links and mentions", _count(quality.empty.only_links_and_mentions, own), ""),
        ("languages outside the model's", _count(languages.outside, quality.tweets), "guesses"),
        ("languages not told", _count(languages.not_told, quality.tweets), "undetermined"),
        (
            "unknown word pieces",
            "not known" if pieces is None else f"{pieces.unknown / max(1, pieces.pieces):.2%}",
            "`murmur watch` counts them" if pieces is None else f"of {pieces.pieces:,} in a sample",
        ),
    ]
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _tables(quality: DataQuality) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if quality.duplicates.most_repeated:
        table = plain_table("most repeated text", "tweets", numbers=("tweets",))
        for repeated in quality.duplicates.most_repeated:
            table.add_row(" ".join(repeated.examples), f"{repeated.tweets:,}")
        parts += [table, ""]
    table = plain_table("language", "tweets", "share", numbers=("tweets", "share"))
    for found in quality.languages.tweets[:_MOST_LANGUAGES]:
        table.add_row(
            Text(shown(found.language, _MOST_CHARS) or "unknown"),
            f"{found.tweets:,}",
            f"{found.tweets / quality.tweets:.1%}",
        )
    parts += [table, ""]
    if quality.dead_letters:
        table = plain_table("dead letters", "all", "waiting", numbers=("all", "waiting"))
        for reason in quality.dead_letters:
            table.add_row(
                Text(shown(reason.reason, _MOST_CHARS)),
                f"{reason.letters:,}",
                f"{reason.waiting:,}",
            )
        return [*parts, table, ""]
    return [*parts, Text("no dead letters", style="dim"), ""]


def _over_time(quality: DataQuality) -> RenderableType:
    most = sorted(quality.by_label, key=lambda label: -quality.by_label[label])[:_MOST_LABELS]
    names = [shown(label, _MOST_CHARS) for label in most]
    numbers = ("tweets", *names, "mean confidence")
    table = plain_table(f"by {quality.series.step}", *numbers, numbers=numbers)
    for point in _latest(quality.series.points):
        table.add_row(
            _moment(point.start),
            f"{point.tweets:,}",
            *(f"{point.by_label.get(label, 0) / point.tweets:.0%}" for label in most),
            f"{point.mean_confidence:.3f}",
        )
    hidden = len(quality.series.points) - _MOST_STEPS
    if hidden <= 0:
        return table
    return Group(table, Text(f"{hidden:,} earlier ones are in --json", style="dim"))


def _latest(points: Sequence[Point]) -> Sequence[Point]:
    return points[-_MOST_STEPS:]


def _count(tweets: int, of: int) -> str:
    return f"{tweets:,} ({tweets / of:.1%})"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
