"""The figures of a run over a window, as Redis and `murmur totals --json` hold them."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Audited(StrEnum):
    """Whether people labelled enough of the tweets to say what share they would count."""

    YES = "yes"
    TOO_FEW = "too-few"
    NO = "no"


class Interval(Struct, frozen=True, kw_only=True):
    """A share between 0 and 1 with its 95 % interval, and the number of audits that it rests on."""

    share: float
    low: float
    high: float
    audits: int


class LabelShare(Struct, frozen=True, kw_only=True):
    """The share of a label as the model counts it, and as people would.

    `audited` is None without enough audits. `recall` is the share of the audits that people gave
    this label on which the model says so too; None where there are none, or too few in all. Shares
    of labels are estimated one by one: they add up to 1 only roughly.
    """

    label: str
    counted: float
    audited: Interval | None
    recall: Interval | None


class AuditFigures(Struct, frozen=True, kw_only=True):
    """What audits tell of some tweets: labels of a uniform sample, given blind.

    `audits_missing` is how many more are needed until shares are corrected, and
    `audits_missing_for_3_points` about how many, at the present spread, until every interval is
    ± 3 points (0: it is). Of `days` days with tweets `audited_days` have an audit: the others are
    taken to be like their neighbours (`audit_weights.py`). `days` is None where nothing is audited.
    `accuracy` is the share of audits on which the model agrees with people. `agreement` is the
    share of pairs of people who agree, over the tweets that two or more labelled: no model can be
    expected to do better.
    """

    audited: Audited
    audits: int
    audits_missing: int
    audits_missing_for_3_points: int
    audited_days: int
    days: int | None
    labels: list[LabelShare]
    accuracy: Interval | None
    agreement: Interval | None


class LabelFigures(Struct, frozen=True, kw_only=True):
    """Tweets with a label; `mean_confidence` is the model's own, between 0 and 1."""

    label: str
    tweets: int
    mean_confidence: float


class Grouped(Struct, frozen=True, kw_only=True):
    """Tweets of one hashtag or one rule, by label."""

    name: str
    tweets: int
    by_label: dict[str, int]


class RuleFigures(Grouped, frozen=True, kw_only=True):
    """Tweets of one rule, by label, with what the audits among them tell."""

    audit: AuditFigures


class SeriesPoint(Struct, frozen=True, kw_only=True):
    """Tweets posted from `start` until the next point, by label; no tweets: an empty dict."""

    start: datetime
    by_label: dict[str, int]


class AuditedSpan(Struct, frozen=True, kw_only=True):
    """Shares of labels as people would count them, of the tweets from `start` up to `end`."""

    start: datetime
    end: datetime
    audits: int
    labels: list[LabelShare]


class ModelFigures(Struct, frozen=True, kw_only=True):
    """Tweets whose score that counts came from a model."""

    name: str
    version: str
    sha256: str
    tweets: int


class DecisionInUse(Struct, frozen=True, kw_only=True):
    """The decision by which the labels of a model's tweets are chosen as they come in."""

    id: str
    model_sha256: str


class LanguageFigures(Struct, frozen=True, kw_only=True):
    """Tweets of one language."""

    language: str
    tweets: int


class Selection(Struct, frozen=True, kw_only=True):
    """Which tweets are counted: those of any of the rules, labels and languages; none: all.

    Labels are the model's. Languages are codes in lower case.
    """

    rules: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules or self.labels or self.languages)


EVERYTHING: Final = Selection()


class Aggregates(Struct, frozen=True, kw_only=True):
    """The figures of one run over one window, all read at one moment, `as_of`.

    Tweets count by when they were posted, from `start` up to but not at `end` (UTC, whole
    minutes; both None for a replay without tweets). The labels are those that the data has, the
    most frequent first. A tweet counts once in `tweets`, `labels`, `series` and `models`, and once
    for each of its hashtags and rules. `hashtags` are the 20 most frequent. `audit` is of all these
    tweets, and each rule has its own. Only the tweets of `selection` are counted; with rules in it,
    no other rules are listed.

    `unknown_language_tweets` of `tweets` are in languages that the model which scored them does
    not know, so that their labels are guesses; `unknown_languages` are the 10 most frequent of
    those. Tweets whose language is undetermined are not among them.

    `audited_spans` are parts of the window with enough audits to tell each its own shares.

    Where `sampled_tweets` is a number, the hashtags and the unknown languages are not counted: they
    are estimated from a uniform sample of so many of these tweets.

    `decision` is the one that the run uses at `as_of`; None: it uses none. Tweets that came before
    it was used have the labels of their time, unless `murmur decisions apply` decided them anew.
    """

    run: str
    window: str
    start: datetime | None
    end: datetime | None
    as_of: datetime
    tweets: int
    mean_confidence: float | None
    labels: list[LabelFigures]
    hashtags: list[Grouped]
    rules: list[RuleFigures]
    models: list[ModelFigures]
    series_step_s: int
    series: list[SeriesPoint]
    selection: Selection
    audit: AuditFigures
    unknown_language_tweets: int = 0
    unknown_languages: list[LanguageFigures] = []
    decision: DecisionInUse | None = None
    sampled_tweets: int | None = None
    audited_spans: list[AuditedSpan] = []
