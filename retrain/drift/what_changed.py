"""What changed between two spans of a stream: the features of tweets that moved most. Pure.

**Which moved most.** Monroe, Colaresi, Quinn 2008, "Fightin' Words", https://doi.org/10.1093/pan/mpn018:
log-odds ratios with an informative Dirichlet prior. A feature is counted once a tweet. With `y` of
`n` tweets of a span having it, and a prior of `α₀` tweets of which the share `α / α₀` have it that
have it in both spans together:

    δ = log((y₁ + α) / (n₁ + α₀ - y₁ - α)) - log((y₀ + α) / (n₀ + α₀ - y₀ - α))
    var δ = Σ over both spans of 1 / (y + α) + 1 / (n + α₀ - y - α)
    z = δ / √var

`α₀` is a quarter of the smaller span. The prior keeps rare features and those that every tweet has
from coming first. Function words still move where people write otherwise, and tell nothing: whoever
makes the features leaves them out.

**How much of a label's move they explain.** With `s` the share of tweets that have the feature, `p`
the label's share among those, and `P₀` its share in all tweets before:

    explained = s₁ (p₁ - P₀) - s₀ (p₀ - P₀)

Together with the same of the tweets without the feature it gives the whole move, `P₁ - P₀`. One
tweet has many features, so what several of them explain does not add up.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct

LEAST_Z: Final = 3.0
"""Below it a move is not told from chance: among thousands of words many reach 2."""

MOST_OF_A_KIND: Final = 10
EXAMPLES: Final = 3
_MOST_EXAMPLES: Final = 30
"""Of a feature so many texts are looked at, to find one that no other feature shows."""

_LEAST_TWEETS: Final = 3
"""In both spans together; a feature of fewer has no three examples."""


class FeatureKind(StrEnum):
    """What a feature of a tweet is."""

    WORD = "word"
    HASHTAG = "hashtag"
    MENTION = "mention"
    LINK = "link"
    """The host of a link."""

    LANGUAGE = "language"
    SOURCE = "source"
    RETWEETED = "retweeted"
    """The tweet that was retweeted, by its id."""


class Feature(Struct, frozen=True, order=True):
    """One thing that a tweet has or has not. An unknown language is empty."""

    kind: FeatureKind
    name: str


_Text: TypeAlias = tuple[Feature, ...]
"""The words of a tweet: those of copies are the same."""


class SeenTweet(Struct, frozen=True):
    """A tweet as it is compared: each feature once."""

    tweet_id: str
    label: str
    features: tuple[Feature, ...]
    is_retweet: bool = False


class MovedFeature(Struct, frozen=True, kw_only=True):
    """A feature with its shares of all compared tweets before and after.

    `explained` is in the unit of a share: .06 are six points of the label's move. `examples` are
    ids of tweets that have it, of the span where it is the more frequent: of different texts, and
    of such that are no other feature's, as far as there are.
    """

    kind: FeatureKind
    name: str
    tweets_before: int
    tweets_after: int
    share_before: float
    share_after: float
    z: float
    explained: float
    examples: tuple[str, ...]


class LabelMove(Struct, frozen=True, kw_only=True):
    """A label's share of all tweets of each span, retweets included."""

    label: str
    share_before: float
    share_after: float


class WhatChanged(Struct, frozen=True, kw_only=True):
    """The comparison of two spans. `label` is the one whose move is explained.

    `moved` has the features of retweets apart: words, hashtags, mentions, links, languages and
    sources are of tweets that retweet nothing, and so are their shares and what they explain. The
    retweeted tweets have shares of all tweets.
    """

    label: str
    tweets_before: int
    tweets_after: int
    retweets_before: int
    retweets_after: int
    labels: tuple[LabelMove, ...]
    own_share_before: float
    own_share_after: float
    moved: tuple[MovedFeature, ...]


def what_changed(
    before: Sequence[SeenTweet],
    after: Sequence[SeenTweet],
    label: str | None = None,
    *,
    most: int = MOST_OF_A_KIND,
) -> WhatChanged:
    """Compare two spans; `label` is by default the one whose share moved most.

    Features come by kind, in each at most `most` with |z| ≥ `LEAST_Z`, the largest |z| first. Half
    of them are kept for those that grew, half for those that shrank, as far as there are. The
    result depends on the tweets alone but for the examples, which are the first in their order.
    `own_share_before` and `own_share_after` are the label's shares of tweets that retweet nothing.
    """
    labels = _label_moves(before, after)
    if label is None:
        largest = max(
            labels, key=lambda move: abs(move.share_after - move.share_before), default=None
        )
        label = largest.label if largest else ""
    own_before = [tweet for tweet in before if not tweet.is_retweet]
    own_after = [tweet for tweet in after if not tweet.is_retweet]
    own = _moved(own_before, own_after, label, set(FeatureKind) - {FeatureKind.RETWEETED}, most)
    retweeted = _moved(before, after, label, {FeatureKind.RETWEETED}, most)
    return WhatChanged(
        label=label,
        tweets_before=len(before),
        tweets_after=len(after),
        retweets_before=len(before) - len(own_before),
        retweets_after=len(after) - len(own_after),
        labels=labels,
        own_share_before=_share_of(label, own_before),
        own_share_after=_share_of(label, own_after),
        moved=(*own, *retweeted),
    )


def log_odds_z(
    before: np.ndarray,
    tweets_before: int | np.ndarray,
    after: np.ndarray,
    tweets_after: int | np.ndarray,
) -> np.ndarray:
    """Return z of each feature, by the formula above; `before` and `after` count tweets with it.

    Positive where it became more frequent; 0 where all tweets of both spans have it, or none, and
    where a span is empty. The numbers of tweets are those of all features, or of each.
    """
    prior_tweets = np.minimum(tweets_before, tweets_after) / 4
    alpha = prior_tweets * (before + after) / np.maximum(tweets_before + tweets_after, 1)
    delta, variance = np.zeros(len(alpha)), np.zeros(len(alpha))
    moves = (alpha > 0) & (alpha < prior_tweets)
    for sign, count, tweets in ((1, after, tweets_after), (-1, before, tweets_before)):
        having = (count + alpha)[moves]
        lacking = (tweets + prior_tweets - count - alpha)[moves]
        delta[moves] += sign * np.log(having / lacking)
        variance[moves] += 1 / having + 1 / lacking
    return np.divide(delta, np.sqrt(variance), out=np.zeros(len(alpha)), where=moves)


def _moved(
    before: Sequence[SeenTweet],
    after: Sequence[SeenTweet],
    label: str,
    kinds: Iterable[FeatureKind],
    most: int,
) -> list[MovedFeature]:
    if not before or not after:
        return []
    kinds = frozenset(kinds)
    counts_before, counts_after = _counts(before, kinds), _counts(after, kinds)
    features = sorted(
        feature
        for feature in counts_before.keys() | counts_after.keys()
        if counts_before[feature] + counts_after[feature] >= _LEAST_TWEETS
    )
    z = log_odds_z(
        np.array([counts_before[feature] for feature in features], dtype=np.float64),
        len(before),
        np.array([counts_after[feature] for feature in features], dtype=np.float64),
        len(after),
    )
    by_kind: dict[FeatureKind, list[tuple[Feature, float]]] = {kind: [] for kind in FeatureKind}
    for place in np.argsort(-np.abs(z), kind="stable"):
        if abs(z[place]) >= LEAST_Z:
            by_kind[features[place].kind].append((features[place], float(z[place])))
    chosen = {feature: z for found in by_kind.values() for feature, z in _chosen(found, most)}
    with_label_before = _counts([t for t in before if t.label == label], kinds)
    with_label_after = _counts([t for t in after if t.label == label], kinds)
    examples = _different(
        {
            feature: found[feature]
            for found, grew in ((_having(before, chosen), False), (_having(after, chosen), True))
            for feature, z in chosen.items()
            if (z > 0) is grew
        },
        chosen,
    )
    share_before = _share_of(label, before)
    return [
        MovedFeature(
            kind=feature.kind,
            name=feature.name,
            tweets_before=counts_before[feature],
            tweets_after=counts_after[feature],
            share_before=counts_before[feature] / len(before),
            share_after=counts_after[feature] / len(after),
            z=z,
            explained=(with_label_after[feature] - counts_after[feature] * share_before)
            / len(after)
            - (with_label_before[feature] - counts_before[feature] * share_before) / len(before),
            examples=examples[feature],
        )
        for feature, z in chosen.items()
    ]


def _chosen(moved: list[tuple[Feature, float]], most: int) -> list[tuple[Feature, float]]:
    """Return at most so many of one kind, in their order: half of them in either direction."""
    grew = [one for one in moved if one[1] > 0][: most // 2]
    shrank = [one for one in moved if one[1] < 0][: most // 2]
    reserved = {feature for feature, _ in (*grew, *shrank)}
    left = most - len(reserved)
    others = [feature for feature, _ in moved if feature not in reserved][:left]
    return [one for one in moved if one[0] in reserved or one[0] in others]


def _counts(tweets: Iterable[SeenTweet], kinds: frozenset[FeatureKind]) -> Counter[Feature]:
    return Counter(
        feature for tweet in tweets for feature in tweet.features if feature.kind in kinds
    )


def _having(
    tweets: Iterable[SeenTweet], features: Iterable[Feature]
) -> dict[Feature, dict[_Text, str]]:
    """Return the first tweets that have each feature, one for each text."""
    found: dict[Feature, dict[_Text, str]] = {feature: {} for feature in features}
    for tweet in tweets:
        text = tuple(each for each in tweet.features if each.kind is FeatureKind.WORD)
        for feature in tweet.features:
            of_feature = found.get(feature)
            if of_feature is not None and len(of_feature) < _MOST_EXAMPLES:
                of_feature.setdefault(text, tweet.tweet_id)
    return found


def _different(
    having: Mapping[Feature, Mapping[_Text, str]], order: Iterable[Feature]
) -> dict[Feature, tuple[str, ...]]:
    """Return the examples of each feature: first the texts that the fewest before it show."""
    shown: Counter[_Text] = Counter()
    first: Counter[_Text] = Counter()
    found = {}
    for feature in order:
        of_feature = having[feature]
        texts = sorted(of_feature, key=lambda text: (first[text], shown[text]))[:EXAMPLES]
        first.update(texts[:1])
        shown.update(texts)
        found[feature] = tuple(of_feature[text] for text in texts)
    return found


def _label_moves(before: Sequence[SeenTweet], after: Sequence[SeenTweet]) -> tuple[LabelMove, ...]:
    names = sorted({tweet.label for tweets in (before, after) for tweet in tweets})
    return tuple(
        LabelMove(
            label=name, share_before=_share_of(name, before), share_after=_share_of(name, after)
        )
        for name in names
    )


def _share_of(label: str, tweets: Sequence[SeenTweet]) -> float:
    return sum(tweet.label == label for tweet in tweets) / len(tweets) if tweets else 0.0
