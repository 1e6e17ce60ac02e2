"""Do the audited intervals hold the truth in 95 of 100 draws? By simulation, beside labels alone.

`python -m tests.audit_coverage` draws audits from 12,284 tweets with the answers of people and of
the default bundle as SemEval-2017's test set has them. `--data FILE` takes a label file instead,
scored by the default bundle; `--counts` then prints what people and the model say, as it is built
in here. Exit 1 where an interval of 60 audits or more covers less than .93 or more than .97.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from model_server.scorer import load_scorer
from retrain.datasets.reading import read_labelled
from schemas.terminal import plain_table, print_whole, terminal_console
from stream_processors.aggregates import audit_weights
from stream_processors.aggregates.audited_share import (
    Audits,
    Estimate,
    Floats,
    audited_share,
    labels_alone,
    student_t,
    uniform_audits,
)

LABELS: Final = ("negative", "neutral", "positive")
SIZES: Final = (20, 60, 200, 300)
MEANT: Final = (0.93, 0.97)
DAY: Final = date(2017, 1, 1)

# People's label, then the model's, then how many tweets of the rule and of the others.
COUNTS: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    ("negative", "negative"): (572, 2_930),
    ("negative", "neutral"): (58, 294),
    ("negative", "positive"): (10, 108),
    ("neutral", "negative"): (249, 1_721),
    ("neutral", "neutral"): (247, 2_860),
    ("neutral", "positive"): (54, 806),
    ("positive", "negative"): (14, 114),
    ("positive", "neutral"): (14, 437),
    ("positive", "positive"): (58, 1_738),
}
RULE: Final = "trump"


class Stream(NamedTuple):
    """Tweets with the number of the label that people and the model give, and one rule."""

    people: npt.NDArray[np.int64]
    model: npt.NDArray[np.int64]
    in_rule: npt.NDArray[np.bool_]


class Measured(NamedTuple):
    """Over many draws: how often an interval held the truth, and half its length in points."""

    covered: float
    half_width: float
    alone_covered: float
    alone_half_width: float
    textbook_covered: float


def built_in() -> Stream:
    """Return a stream with the answers that the test set has."""
    rows = [
        (LABELS.index(people), LABELS.index(model), in_rule)
        for (people, model), counts in COUNTS.items()
        for in_rule, count in zip((True, False), counts, strict=True)
        for _ in range(count)
    ]
    people, model, in_rule = zip(*rows, strict=True)
    return Stream(np.array(people), np.array(model), np.array(in_rule, dtype=np.bool_))


def scored(file: Path) -> Stream:
    """Return the rows of a label file as the default bundle labels them."""
    rows = read_labelled(file, labels=LABELS).rows
    predictions = load_scorer(None, cache_size=0).predict([row.text for row in rows])
    word = re.compile(rf"\b{RULE}", re.IGNORECASE)
    return Stream(
        np.array([LABELS.index(row.label) for row in rows]),
        np.array([LABELS.index(found.label) for found in predictions]),
        np.array([bool(word.search(row.text)) for row in rows], dtype=np.bool_),
    )


def textbook(people: Floats, model: Floats, counted: float, tweets: int) -> Estimate:
    """Return PPI++ as its paper has it, with Student's t below 60, cut at 0 and 1."""
    audits = len(people)
    model_variance = float(model.var(ddof=1))
    ratio = audits / tweets
    covariance = float(np.cov(people, model)[0, 1])
    slope = covariance / ((1 + ratio) * model_variance) if model_variance else 0.0
    share = float(people.mean()) + slope * (counted - float(model.mean()))
    variance = float((people - slope * model).var(ddof=1)) / audits
    variance += slope**2 * model_variance / tweets
    half = (student_t(audits - 1) if audits < 60 else 1.959964) * float(np.sqrt(variance))
    return Estimate(share, max(share - half, 0.0), min(share + half, 1.0))


def uniform(
    rng: np.random.Generator, stream: Stream, audits: int
) -> tuple[npt.NDArray[np.int64], Audits]:
    """Draw audits of which each tweet is one as likely as any other."""
    tweets = len(stream.people)
    return rng.choice(tweets, audits, replace=False), uniform_audits(audits, tweets)


def third_of_the_rule(
    rng: np.random.Generator, stream: Stream, audits: int
) -> tuple[npt.NDArray[np.int64], Audits]:
    """Draw a third of the audits from the rule alone, and rake them as `murmur totals` does.

    A draw that it would not correct, for there is too little of the other tweets, is drawn anew.
    """
    tweets = len(stream.people)
    of_rule = rng.permutation(np.flatnonzero(stream.in_rule))[: audits // 3]
    others = rng.permutation(np.setdiff1d(np.arange(tweets), of_rule))[: audits - len(of_rule)]
    drawn = np.concatenate([of_rule, others])
    weighted = audit_weights.by_day([DAY] * audits, {DAY: tweets})
    inside = {RULE: stream.in_rule[drawn]}
    try:
        return drawn, audit_weights.raked(weighted, inside, {RULE: int(stream.in_rule.sum())})
    except audit_weights.TooFewOutside:
        return third_of_the_rule(rng, stream, audits)


def measure(
    rng: np.random.Generator, stream: Stream, label: int, audits: int, draws: int, *, uneven: bool
) -> Measured:
    """Draw audits many times and compare the intervals with what people say of all tweets."""
    people = (stream.people == label).astype(np.float64)
    model = (stream.model == label).astype(np.float64)
    truth, counted = float(people.mean()), float(model.mean())
    found = np.zeros((draws, 5))
    for row in found:
        drawn, weighted = (third_of_the_rule if uneven else uniform)(rng, stream, audits)
        with_model = audited_share(people[drawn], model[drawn], weighted, counted)
        alone = labels_alone(people[drawn], weighted)
        plain = textbook(people[drawn], model[drawn], counted, len(people))
        row[:] = (
            with_model.low <= truth <= with_model.high,
            with_model.half_width,
            alone.low <= truth <= alone.high,
            alone.half_width,
            plain.low <= truth <= plain.high,
        )
    return Measured(*(float(mean) for mean in found.mean(axis=0)))


def measurements(
    stream: Stream, draws: int, seed: int, sizes: Sequence[int] = SIZES
) -> Iterator[tuple[str, int, int, float, float, Measured]]:
    """Yield where, audits, label, the share that people count, the model's, and the measurement."""
    rng = np.random.default_rng(seed)
    inside = Stream(
        stream.people[stream.in_rule],
        stream.model[stream.in_rule],
        stream.in_rule[stream.in_rule],
    )
    for where, tweets, uneven in (
        (f"all {len(stream.people):,} tweets", stream, False),
        (f"rule, {len(inside.people):,} tweets", inside, False),
        ("all, a third of the audits of the rule", stream, True),
    ):
        for audits in sizes:
            for label in range(len(LABELS)):
                people = float((tweets.people == label).mean())
                counted = float((tweets.model == label).mean())
                found = measure(rng, tweets, label, audits, draws, uneven=uneven)
                yield where, audits, label, people, counted, found


def main() -> int:
    """Print the table; return 1 where an interval does not keep its word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a label file, scored by the default bundle")
    parser.add_argument("--counts", action="store_true", help="print the counts of that file")
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    stream = scored(given.data) if given.data else built_in()
    if given.counts:
        counts = Counter(zip(*(values.tolist() for values in stream), strict=True))
        for (people, model, in_rule), count in sorted(counts.items()):
            where = "rule" if in_rule else "others"
            print(LABELS[people], LABELS[model], where, count)  # noqa: T201
        return 0
    numbers = ("audits", "people", "model", "coverage", "±", "labels alone ±", "textbook")
    table = plain_table("tweets", "label", *numbers, numbers=numbers)
    kept = True
    for where, audits, label, people, counted, found in measurements(
        stream, given.draws, given.seed
    ):
        kept &= audits < SIZES[1] or MEANT[0] <= found.covered <= MEANT[1]
        table.add_row(
            where,
            LABELS[label],
            str(audits),
            f"{people:.3f}",
            f"{counted:.3f}",
            f"{found.covered:.3f}",
            f"{100 * found.half_width:.1f}",
            f"{100 * found.alone_half_width:.1f}",
            f"{found.textbook_covered:.3f}",
        )
    print_whole(terminal_console(), table)
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
