"""How often does the gate let a better model in, and how often one that is not?

`python -m tests.retraining.gate_trials SEMEVAL` with SEMEVAL the folder of SemEval-2017's label
files for task 4A. Small models are trained on the tweets of 2013 to 2014 and later ones; all answer
the test set of 2017, which none has read. A trial draws audits from a part of that set and a
standing set from the rest, both with replacement, and asks the gate. What is trained and answered
is kept in `--kept`. With `--champion` nothing is trained, and bundles that are there are judged.
Exit 1 where the gate keeps a promise less often than it should.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from model_server.bundle import default_bundle
from retrain.evaluation.bootstrap import RESAMPLES
from retrain.evaluation.figures import figures_of, totals_of
from retrain.evaluation.predictions import Answers, Indices
from retrain.promotion.promotion_gate import (
    GateLimits,
    GateVerdict,
    PairedAnswers,
    judge_challenger,
)
from tests.retraining.trained_bundles import TEST_OF_2017, Workshop, part_of

AUDITS: Final = (500, 1_000, 2_000, 4_000)
TRIALS: Final = 100
STANDING: Final = 4_000
"""Texts of the standing set."""

CHAMPION: Final = "champion"
FLIPPED: Final = "flipped"


class Asked(NamedTuple):
    """A kind of challenger, and of 100 trials how many it may at most, or must at least, pass.

    `better_by` is its macro-recall minus the champion's; None: the model of this name as it is.
    `at_least` names numbers of audits.
    """

    name: str
    better_by: float | None = None
    at_most: int | None = None
    at_least: dict[int, int] | None = None


KINDS: Final = (
    Asked(FLIPPED, at_most=2),
    Asked("1 point worse", -0.01, at_most=5),
    Asked("equal", 0.0, at_most=10),
    Asked("3 points better", 0.03, at_least={1_000: 60, 2_000: 85}),
)


@dataclass(frozen=True)
class Contest:
    """What champion and challenger answer to the same texts."""

    champion: Answers
    challenger: Answers

    @property
    def better_by(self) -> float:
        """The challenger's macro-recall minus the champion's."""
        return _macro_recall(self.challenger) - _macro_recall(self.champion)

    @property
    def differing(self) -> float:
        """The share of texts to which they give different labels."""
        return float((self.champion.predicted != self.challenger.predicted).mean())

    def at(self, places: Indices) -> PairedAnswers:
        """Return the answers at these places, as the gate takes them."""
        ids = [str(place) for place in places]
        return PairedAnswers(ids, part_of(self.champion, places), part_of(self.challenger, places))


def _macro_recall(answers: Answers) -> float:
    return float(figures_of(totals_of(answers), answers.labels).macro_recall)


def better_by(champion: Answers, models: Sequence[Answers], wanted: float, seed: int) -> Contest:
    """Return a challenger whose macro-recall is the champion's and `wanted`, to one text.

    Two models stand for it: the nearest one that is as good or better, and the nearest that is
    worse. Each text has the answer of one of them, drawn once, so that it differs from the champion
    as models do that were trained apart.
    """
    contests = sorted((Contest(champion, model) for model in models), key=lambda c: c.better_by)
    worse = [contest for contest in contests if contest.better_by < wanted]
    better = [contest for contest in contests if contest.better_by >= wanted]
    if not worse or not better:
        have = ", ".join(f"{contest.better_by:+.4f}" for contest in contests)
        raise ValueError(f"no two models stand around {wanted:+.4f}: there are {have}")
    order = np.random.default_rng(seed).permutation(len(champion.truth))
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        mixed = _mixed(worse[-1].challenger, better[0].challenger, order[:middle])
        if Contest(champion, mixed).better_by < wanted:
            low = middle + 1
        else:
            high = middle
    return Contest(champion, _mixed(worse[-1].challenger, better[0].challenger, order[:low]))


def _mixed(answers: Answers, others: Answers, places: Indices) -> Answers:
    predicted, confidence = answers.predicted.copy(), answers.confidence.copy()
    predicted[places] = others.predicted[places]
    confidence[places] = others.confidence[places]
    return Answers(answers.labels, answers.truth, predicted, confidence)


def verdicts(
    audited: Contest,
    standing: Contest,
    audits: int,
    trials: int,
    limits: GateLimits,
    *,
    standing_texts: int = STANDING,
    resamples: int = RESAMPLES,
) -> Iterator[GateVerdict]:
    """Draw audits and a standing set, once for each trial, and yield what the gate says."""
    for trial in range(trials):
        rng = np.random.default_rng((trial, audits))
        of_stream, kept = (
            contest.at(rng.integers(0, len(contest.champion.truth), size))
            for contest, size in ((audited, audits), (standing, standing_texts))
        )
        yield judge_challenger(of_stream, kept, limits=limits, seed=trial, resamples=resamples)


def keeps(kind: Asked, audits: int, passed: int, trials: int) -> bool:
    """Tell whether so many passes of so many trials are what was asked for."""
    least = (kind.at_least or {}).get(audits)
    return (kind.at_most is None or 100 * passed <= kind.at_most * trials) and (
        least is None or 100 * passed >= least * trials
    )


def trained(workshop: Workshop) -> dict[str, Path]:
    """Return the bundles of the models that are trained for this.

    `flipped` and `fewer` are trained as the champion is: on its texts, of which a fifth has another
    label, and on its largest file. `later` goes on from the champion with newer texts, as a job
    would.
    """
    early, test = workshop.files(2013, 2014), workshop.files(2015, 2016, 2017)
    later = [file for file in workshop.files(2015, 2016) if "2016test" not in file.name]
    alike = ("--layers", "3", "--seed", "1")
    base = ("--base", str(workshop.kept / "models" / CHAMPION), "--seed", "1")
    return {
        CHAMPION: workshop.first_model(),
        FLIPPED: workshop.train(FLIPPED, [workshop.flipped(early)], test, *alike),
        "fewer": workshop.train("fewer", workshop.files(2013)[-1:], test, *alike),
        "later": workshop.train("later", later, workshop.files(2017), *base),
    }


def kinds_of(
    champion: Answers,
    answers: Mapping[str, Answers],
    shown: Collection[str],
    parts: Collection[Indices],
) -> list[Asked]:
    """Return the models that are `shown` as they are, and the kinds that all parts allow."""
    found = [
        [Contest(part_of(champion, part), part_of(model, part)).better_by for part in parts]
        for model in answers.values()
    ]
    least = max(min(of_part) for of_part in zip(*found, strict=True))
    most = min(max(of_part) for of_part in zip(*found, strict=True))
    known = {kind.name: kind for kind in KINDS}
    return [known.get(name, Asked(name)) for name in shown] + [
        kind for kind in KINDS if kind.better_by is not None and least < kind.better_by <= most
    ]


def main() -> int:
    """Print the tables in Markdown; return 1 where the gate does less than was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.retraining.gate_trials", description=__doc__
    )
    parser.add_argument("semeval", type=Path, help="folder with SemEval-2017's label files")
    parser.add_argument(
        "--champion", help="train nothing: this bundle of those shipped and of --bundle is it"
    )
    parser.add_argument("--bundle", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--audits", type=int, nargs="+", default=AUDITS)
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    parser.add_argument("--threads", type=int, help="of a training; default: one per core")
    parser.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "murmur-retraining"
    )
    given = parser.parse_args()
    workshop = Workshop(given.semeval, given.kept, given.threads)
    bundles = {folder.name: folder for folder in sorted(default_bundle().parent.iterdir())}
    bundles |= {
        name: Path(folder) for name, folder in (pair.split("=", 1) for pair in given.bundle)
    }
    if given.champion is None:
        bundles |= trained(workshop)
    rows = workshop.rows(given.semeval / TEST_OF_2017)
    answers = {name: workshop.answers(bundle, rows) for name, bundle in bundles.items()}
    champion = answers.pop(given.champion or CHAMPION)
    _say("| model | macro-recall | beside the champion | other labels |", "|---|---|---|---|")
    _say(f"| {given.champion or CHAMPION} | {_macro_recall(champion):.4f} | | |")
    for name, found in answers.items():
        contest = Contest(champion, found)
        figures = f"{contest.better_by:+.4f} | {contest.differing:.1%}"
        _say(f"| {name} | {_macro_recall(found):.4f} | {figures} |")

    numbers = [f"{audits:,}" for audits in given.audits]
    _say(
        "",
        f"| challenger | other labels | {' | '.join(numbers)} |",
        "|---" * (len(numbers) + 2) + "|",
    )
    order = np.random.default_rng(1).permutation(len(rows))
    parts = (order[STANDING:], order[:STANDING])
    kept = True
    refusals: list[str] = []
    shown = list(answers) if given.champion else [FLIPPED]
    for kind in kinds_of(champion, answers, shown, parts):
        audited, standing = (_contest(kind, champion, answers, part) for part in parts)
        cells = []
        broken = Counter[str]()
        for audits in given.audits:
            judged = list(
                verdicts(
                    audited, standing, audits, given.trials, GateLimits(), resamples=given.resamples
                )
            )
            passed = sum(verdict.passed for verdict in judged)
            as_asked = keeps(kind, audits, passed, given.trials)
            kept &= as_asked
            cells.append(f"{passed}{'' if as_asked else ' !'}")
            broken.update(
                rule.name for verdict in judged for rule in verdict.rules if not rule.passed
            )
        _say(f"| {kind.name} | {audited.differing:.1%} | {' | '.join(cells)} |")
        refusals += [f"| {kind.name} | {rule} | {count} |" for rule, count in broken.most_common()]
    trials = len(given.audits) * given.trials
    _say("", f"| challenger | rule | refused of {trials:,} |", "|---|---|---|", *refusals)
    return int(not kept)


def _contest(
    kind: Asked, champion: Answers, answers: Mapping[str, Answers], part: Indices
) -> Contest:
    own = part_of(champion, part)
    if kind.better_by is None:
        return Contest(own, part_of(answers[kind.name], part))
    models = [part_of(found, part) for found in answers.values()]
    return better_by(own, models, kind.better_by, seed=1)


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
