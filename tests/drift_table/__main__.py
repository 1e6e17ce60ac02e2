"""`make drift-table`: false alarms and hours to find a change, on simulated years, as Markdown.

Every year begins with four weeks of reference. False alarms are those of quiet hours: of the whole
year for most signals; for the volume neither an outage and its day after, nor what follows a change
of rules. A change begins two weeks after the reference; it counts as missed after 30 days.
"""

import argparse
import sys

import numpy as np

from retrain.drift.detectors.e_detector import Floats
from retrain.drift.detectors.new_hashtag import HASHTAGS_OF_A_TWEET
from retrain.drift.judge import count_signals, ordinary_share
from schemas.setting_views import AlarmLimits
from tests.drift_table.audits import first_alarms
from tests.drift_table.hashtags import first_alarm
from tests.drift_table.rivals import Bools, adwin, chi_square, kolmogorov_smirnov
from tests.drift_table.streams import DAY, REFERENCE_H, WEEK, YEAR, Shift, Years, simulate
from tests.drift_table.words import comparisons, evidence_over
from tests.drift_table.years import alarms_of, lanes_of

SEED = 20_261_128
SIGNALS = count_signals(labels=3, rules=0)
HOURS_A_YEAR = 8_766
CHANGES = (
    ("+8 points", {"share": 0.08}, ("label_share:negative", "label_distribution")),
    ("+5 points", {"share": 0.05}, ("label_share:negative", "label_distribution")),
    ("+3 points", {"share": 0.03}, ("label_share:negative", "label_distribution")),
    ("confidence -.06", {"confidence": -0.06}, ("confidence", "low_confidence")),
    ("texts a tenth longer", {"length": 0.1}, ("text_length",)),
    ("a third of the volume", {"volume": 0.33}, ("volume",)),
)
LIVELY, CALM = 0.02, 0.012


def say(line: str = "") -> None:
    """Print a line at once: a table grows while it is computed."""
    print(line, flush=True)  # noqa: T201


def false_alarms(streams: int, bursts_sd: float, reference_h: int) -> None:
    """Print the false alarms of every signal in quiet years."""
    rng = np.random.default_rng([SEED, reference_h, int(bursts_sd * 1000)])
    years = simulate(rng, streams, reference_h + YEAR, bursts_sd=bursts_sd, reference_h=reference_h)
    say(
        f"| signal ({reference_h // DAY} days of reference) | of {streams} stated | found | "
        f"of {streams / SIGNALS:.0f} stated | found | years with one |"
    )
    say("|---|---|---|---|---|---|")
    total = 0
    for name, lanes in lanes_of(years, reference_h).items():
        quiet = _quiet(name, years, reference_h)
        alone = alarms_of(lanes, HOURS_A_YEAR).raised & quiet
        shared = alarms_of(lanes, HOURS_A_YEAR * SIGNALS).raised & quiet
        total += int(shared.sum())
        say(
            f"| {name} | {streams} | {alone.sum()} | {streams / SIGNALS:.0f} | {shared.sum()} | "
            f"{shared.any(axis=1).sum()} |"
        )
    say(f"| all of them | | | {streams} | {total} | |")
    say()


def _quiet(name: str, years: Years, reference_h: int) -> Bools:
    hours = np.arange(years.seen.shape[1])
    quiet = np.ones_like(years.seen)
    if name == "volume":
        quiet = hours < years.rules_change[:, np.newaxis]
        for later in range(DAY + 1):
            quiet &= np.roll(years.seen, later, axis=1) | (hours < later)
    return quiet[:, reference_h:]


def rivals(streams: int) -> None:
    """Print what other detectors do in the same quiet years, and in how many hours they fire."""
    rng = np.random.default_rng([SEED, 1])
    years = simulate(rng, streams, REFERENCE_H + YEAR, bursts_sd=CALM)
    few = min(streams, 10)
    shares = years.counts[:few, :, 0] / np.maximum(1.0, years.tweets[:few])
    cuts = np.stack([adwin(one)[REFERENCE_H:] for one in shares])
    ks = np.concatenate([kolmogorov_smirnov(_only(years, one), rng, 1) for one in range(few)])
    labels = chi_square(years)
    say("| others, an hour at a time | hours a year in which it fires, of 8,760 |")
    say("|---|---|")
    say(f"| Kolmogorov-Smirnov, p < .05, on confidence | {ks.mean() * YEAR:,.0f} |")
    say(f"| chi-square, p < .05, on labels | {labels.mean() * YEAR:,.0f} |")
    say(f"| ADWIN, δ = .002, on the share of one label | {cuts.mean() * YEAR:,.0f} |")
    say(f"| one that always fires | {YEAR:,} |")
    say()


def _only(years: Years, stream: int) -> Years:
    one = slice(stream, stream + 1)
    return Years(
        years.counts[one],
        years.tweets[one],
        years.seen[one],
        {name: values[one] for name, values in years.signals.items()},
        years.rules_change[one],
    )


def detection(streams: int, bursts_sd: float) -> None:
    """Print how many hours a change goes on before its alarm, at the budget of all signals."""
    say(
        f"| change (topics burst by {bursts_sd * 100:.1f} points) | signal | median, hours | "
        "90 %, hours | found in 30 days |"
    )
    say("|---|---|---|---|---|")
    begin = REFERENCE_H + 2 * WEEK
    for place, (name, change, signals) in enumerate(CHANGES):
        if bursts_sd != CALM and "share" not in change:
            continue
        rng = np.random.default_rng([SEED, 2, place, int(bursts_sd * 1000)])
        years = simulate(
            rng,
            streams,
            begin + 30 * DAY,
            shift=Shift(begin, **change),
            troubles=False,
            bursts_sd=bursts_sd,
        )
        lanes = lanes_of(years, only=signals)
        for signal in signals:
            alarms = alarms_of(lanes[signal], _shared())
            _row(name, signal, alarms.first_after(2 * WEEK))
    say()


def _shared() -> float:
    return HOURS_A_YEAR * SIGNALS


def _row(name: str, signal: str, hours: Floats) -> None:
    middle, most = np.quantile(hours, [0.5, 0.9], method="inverted_cdf")
    say(f"| {name} | {signal} | {middle:.0f} | {most:.0f} | {np.isfinite(hours).mean():.0%} |")


def words(streams: int, tests: int) -> None:
    """Print the permutation test: real tests, whose days are drawn again to make years."""
    limits = AlarmLimits()
    rng = np.random.default_rng([SEED, 3])
    parts = [comparisons(rng, DAY) for _ in range(max(1, tests // DAY))]
    p = np.array([[one.p for one in part] for part in parts])
    share = np.array([[one.new_share for one in part] for part in parts])
    drawn = rng.integers(0, len(parts), (streams, 365))
    evidence = evidence_over(p[drawn].reshape(streams, -1))
    shares = share[drawn].reshape(streams, -1)
    counts = [
        int(_word_alarms(evidence, shares, run_length, limits).any(axis=1).sum())
        for run_length in (HOURS_A_YEAR, _shared())
    ]
    found = []
    for one in range(20):
        new = comparisons(np.random.default_rng([SEED, 4, one]), 12, new=0.2)
        after = evidence_over(np.array([[test.p for test in new]]))
        told = _word_alarms(after, np.array([[test.new_share for test in new]]), _shared(), limits)[
            0
        ]
        found.append(float(told.argmax()) + 1 if told.any() else np.inf)
    say(
        f"Words: of {p.size} real tests without a change {(p <= 0.01).mean():.1%} have p ≤ .01. Of "
        f"{streams} years made of their days, {counts[0]} have a false alarm at a stated one a "
        f"year, {counts[1]} at {1 / SIGNALS:.3f}. A fifth of tweets on a new topic is found after "
        f"{np.median(found):.0f} hours (median of 20; at most {max(found):.0f})."
    )
    say()


def _word_alarms(evidence: Floats, shares: Floats, run_length: float, limits: AlarmLimits) -> Bools:
    sums = np.cumsum(np.pad(shares, ((0, 0), (1, 0))), axis=1)
    many = limits.raise_windows
    latest = np.zeros_like(shares)
    latest[:, many - 1 :] = (sums[:, many:] - sums[:, :-many]) / many
    alarms: Bools = (evidence >= run_length) & (latest >= limits.new_words)
    return alarms


def audits(streams: int) -> None:
    """Print the error alarm, at one false alarm in a year of 20 audits a day."""
    say(
        f"| true error (.35 is tolerated) | alarms in {streams} years of 7,300 audits | "
        "median, audits | 90 %, audits |"
    )
    say("|---|---|---|---|")
    for error in (0.316, 0.35, 0.45, 0.5):
        first = first_alarms(
            np.random.default_rng([SEED, 5]),
            streams,
            7_300 if error <= 0.35 else 1_500,
            error=error,
            tolerated=0.35,
            run_length=7_300,
        )
        middle, most = np.quantile(first, [0.5, 0.9], method="inverted_cdf")
        say(f"| {error} | {np.isfinite(first).sum()} | {middle:.0f} | {most:.0f} |")
    say()


def hashtags(streams: int) -> None:
    """Print the alarms of hashtags in years without a new one, and the hours to find one."""
    limits = AlarmLimits()
    ordinary = ordinary_share(limits)
    possible = round(HASHTAGS_OF_A_TWEET / ordinary)
    say("| share of the tweets | tweets an hour | alarms | median, hours | 90 %, hours |")
    say("|---|---|---|---|---|")
    for tweets in (50, 200, 1_000):
        for share in (ordinary, 0.03, 0.06, 0.1, 0.2):
            quiet = share < limits.new_hashtag
            count, hours = (possible * streams, HOURS_A_YEAR) if quiet else (1_000, 30 * DAY)
            if share > ordinary and quiet:
                count = streams
            first = first_alarm(
                np.random.default_rng([SEED, 6, tweets, int(share * 1000)]),
                count,
                hours,
                share=share,
                tweets=tweets,
                run_length=_shared(),
                limits=limits,
            )
            of = f"{streams} years" if quiet else f"{count:,}"
            found = "| – | – |"
            if np.isfinite(first).all():
                middle, most = np.quantile(first, [0.5, 0.9], method="inverted_cdf")
                found = f"| {middle:.0f} | {most:.0f} |"
            say(f"| {share:.4g} | {tweets} | {np.isfinite(first).sum()} of {of} {found}")
    say()


def main() -> int:
    """Print the tables; return the exit code."""
    parser = argparse.ArgumentParser(prog="make drift-table")
    parser.add_argument("--years", type=int, default=300, help="simulated years a detector")
    parser.add_argument("--word-tests", type=int, default=480, help="real permutation tests")
    given = parser.parse_args()
    false_alarms(given.years, CALM, REFERENCE_H)
    fewer = max(1, given.years // 3)
    false_alarms(fewer, CALM, WEEK)
    detection(fewer, CALM)
    detection(fewer, LIVELY)
    audits(given.years)
    hashtags(given.years)
    rivals(fewer)
    words(given.years, given.word_tests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
