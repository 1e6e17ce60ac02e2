"""What changed, as people read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from retrain.drift.moved_rules import MovedRule
from retrain.drift.what_changed import FeatureKind, MovedFeature
from retrain.drift.why.compare_spans import SpanRead, Why
from schemas.counted_nouns import number_of
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table

_HEADINGS: Final = {
    FeatureKind.WORD: "word",
    FeatureKind.HASHTAG: "hashtag",
    FeatureKind.MENTION: "mention",
    FeatureKind.LINK: "links to",
    FeatureKind.LANGUAGE: "language",
    FeatureKind.SOURCE: "source",
    FeatureKind.RETWEETED: "retweets of",
}
_SIGNS: Final = {FeatureKind.HASHTAG: "#", FeatureKind.MENTION: "@"}
_MOST_CHARS: Final = 60


def why_view(why: Why) -> RenderableType:
    """Return everything that `murmur why` shows."""
    changed = why.changed
    where = f"rule {shown(why.rule, _MOST_CHARS)}" if why.rule else "all tweets"
    lines = [
        f"run {why.run}, {where}",
        f"before  {_span_text(why.before)}, {changed.retweets_before:,} of them retweets",
        f"after   {_span_text(why.after)}, {changed.retweets_after:,} of them retweets",
        *(
            f"share of {shown(move.label, _MOST_CHARS)}: "
            f"{move.share_before:.1%} before, {move.share_after:.1%} after"
            for move in changed.labels
        ),
    ]
    parts: list[RenderableType] = [Text("\n".join(lines))]
    if why.rules:
        parts += ["", _rules_table(why.rules, shown(changed.label, _MOST_CHARS))]
    for kind in FeatureKind:
        moved = [feature for feature in changed.moved if feature.kind is kind]
        if moved:
            parts += ["", _moved_table(_HEADINGS[kind], moved, shown(changed.label, _MOST_CHARS))]
    parts.append(Text(f"\n{_caption(why)}", style="dim"))
    return Group(*parts)


def _rules_table(rules: Sequence[MovedRule], label: str) -> RenderableType:
    numbers = (
        "tweets before",
        "tweets after",
        f"{label} before",
        f"{label} after",
        f"{label} moved",
    )
    table = plain_table("rule", *numbers, numbers=numbers)
    for rule in rules:
        before, after = rule.label_share_before, rule.label_share_after
        table.add_row(
            Text(shown(rule.rule, _MOST_CHARS)),
            f"{rule.tweets_before:,}",
            f"{rule.tweets_after:,}",
            "" if before is None else f"{before:.1%}",
            "" if after is None else f"{after:.1%}",
            "" if before is None or after is None else points_text(after - before),
        )
    return table


def _moved_table(heading: str, moved: list[MovedFeature], label: str) -> RenderableType:
    explained = f"explains of {label}"
    numbers = ("before", "after", "z", explained)
    table = plain_table(heading, *numbers, "for example", numbers=numbers, whole=("for example",))
    for feature in moved:
        name = shown(feature.name, _MOST_CHARS) or "unknown"
        table.add_row(
            Text(_SIGNS.get(feature.kind, "") + name),
            f"{feature.share_before:.1%}",
            f"{feature.share_after:.1%}",
            f"{feature.z:+.1f}",
            points_text(feature.explained),
            " ".join(feature.examples),
        )
    return table


def points_text(share: float) -> str:
    """Return a difference of shares in percentage points."""
    return f"{100 * share:+.1f} points"


def _caption(why: Why) -> str:
    changed = why.changed
    if not changed.moved and not why.rules:
        return "No rule, word, hashtag, link or the like moved by more than chance."
    if not changed.moved:
        return "No word, hashtag, link or the like moved by more than chance."
    own = points_text(changed.own_share_after - changed.own_share_before)
    sampled = (
        ""
        if why.before.compared == why.before.tweets and why.after.compared == why.after.tweets
        else " A uniform sample of the tweets was compared."
    )
    return (
        f"Words and all that stands before retweets are of tweets that are no retweets; in those "
        f"the share of {shown(changed.label, _MOST_CHARS)} moved by {own}. What several features "
        f"explain does not add up, since one tweet has many. Texts are not shown: look them up by "
        f"their ids.{sampled}"
    )


def _span_text(span: SpanRead) -> str:
    compared = "" if span.compared == span.tweets else f" ({span.compared:,} compared)"
    tweets = number_of(span.tweets, "tweet")
    return f"{_moment(span.start)} to {_moment(span.end)} UTC: {tweets}{compared}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
