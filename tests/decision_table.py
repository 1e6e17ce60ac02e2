"""What decisions do on labelled streams, beside what is done without audits.

`python -m tests.decision_table DATA [--bundle NAME=FOLDER …]` with DATA a folder that holds
`semeval2017-4a` and `tweeteval`. A bundle of its own is needed for each TweetEval folder, such as
`emotion`. Each text is scored once; its probabilities are kept in `--kept`. One core needs about
fifteen minutes for the first run and ten for the next.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from model_server.bundle import default_bundle, open_bundle
from model_server.scorer import Scorer, load_scorer
from retrain.datasets.reading import read_labelled
from retrain.decisions.fit_biases import Floats, softmax_rows
from retrain.decisions.fit_decision import Texts, fit_decision
from retrain.decisions.judge_decision import cross_fitted, figures_of_decision, folds_of, refusal
from retrain.decisions.load_audits import SAMPLED_TWEETS
from retrain.decisions.match_shares import label_shares, total_variation

AUDITS: Final = (25, 50, 100, 200, 400)
DRAWS: Final = 100
"""The mean of 20 draws with 100 audits still moves between .031 and .047 on the set of 2017."""
YEARS: Final = (2016, 2015, 2014, 2013)
TEST_OF_2017: Final = "SemEval2017-task4-test.subtask-A.english.txt"

Columns: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """Texts with the columns of people's labels."""

    name: str
    texts: Texts
    truth: Columns

    @property
    def labels(self) -> int:
        """How many labels there are."""
        return int(self.texts.probabilities.shape[1])


@dataclass
class Row:
    """A line of the table: the figures of each draw."""

    stream: str
    method: str
    audits: int | None
    accuracy: list[float] = field(default_factory=list)
    macro_recall: list[float] = field(default_factory=list)
    share_error: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    draws: int = 0

    def line(self) -> str:
        """Return the line: the mean of each figure and its worst draw."""
        cells = [
            self.stream,
            self.method,
            "" if self.audits is None else str(self.audits),
            _cell(self.accuracy, min),
            _cell(self.macro_recall, min),
            _cell(self.share_error, max),
            f"{len(self.refused)} of {self.draws}" if self.method == "decision" else "",
        ]
        return f"| {' | '.join(cells)} |"


def _cell(figures: list[float], worst: Callable[[list[float]], float]) -> str:
    if not figures:
        return ""
    mean = float(np.mean(figures))
    return f"{mean:.3f}" if len(figures) == 1 else f"{mean:.3f}, {worst(figures):.3f}"


def rows_of(stream: Stream, draws: int) -> Iterator[Row]:
    """Yield a stream's lines; each draw is measured on the texts that were not audited."""
    own = stream.texts.probabilities.argmax(axis=1)
    yield _measured(Row(stream.name, "as is", None), stream, own)
    yield _measured(Row(stream.name, "EMQ", None), stream, emq(stream.texts.probabilities))
    for audits in AUDITS:
        decision = Row(stream.name, "decision", audits, draws=draws)
        acc = Row(stream.name, "ACC", audits)
        temperature = Row(stream.name, "temperature", audits)
        for draw in range(draws):
            order = np.random.default_rng(draw).permutation(len(stream.truth))
            audited, rest = order[:audits], order[audits:]
            _judge_draw(decision, stream, order, audits)
            true = label_shares(stream.truth[rest], stream.labels)
            shares = adjusted_count(stream.truth[audited], own[audited], own, stream.labels)
            acc.share_error.append(total_variation(shares, true))
            mean = with_temperature(stream.texts, stream.truth, audited).mean(axis=0)
            temperature.share_error.append(total_variation(mean, true))
        yield from (decision, acc, temperature)


def _judge_draw(row: Row, stream: Stream, order: Columns, audits: int) -> None:
    audited, rest = (
        Texts(stream.texts.probabilities[part], [()] * len(part))
        for part in (order[:audits], order[audits:])
    )
    truth = stream.truth[order[:audits]]
    sampled = order[:SAMPLED_TWEETS]
    sample = Texts(stream.texts.probabilities[sampled], [()] * len(sampled))
    chosen = fit_decision(audited, truth, sample).choose(rest)
    others = Stream(stream.name, rest, stream.truth[order[audits:]])
    _measured(row, others, chosen)
    folds = folds_of([str(number) for number in order[:audits]])
    held_out = cross_fitted(audited, truth, folds, sample, rules=())
    own = audited.probabilities.argmax(axis=1)
    worse = refusal(figures_of_decision(truth, own, held_out, stream.labels), truth, own)
    if worse is not None:
        row.refused.append(worse)


def _measured(row: Row, stream: Stream, chosen: Columns) -> Row:
    row.accuracy.append(float((chosen == stream.truth).mean()))
    recalls = [
        float((chosen[stream.truth == label] == label).mean())
        for label in range(stream.labels)
        if (stream.truth == label).any()
    ]
    row.macro_recall.append(float(np.mean(recalls)))
    shares = (label_shares(columns, stream.labels) for columns in (chosen, stream.truth))
    row.share_error.append(total_variation(*shares))
    return row


def emq(probabilities: Floats) -> Columns:
    """Return the labels after expectation maximisation of the shares, from even ones.

    Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori
    Probabilities", 2002; the default bundle weighs its labels evenly.
    """
    shares = np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    for _ in range(1_000):
        weighted = probabilities * shares
        weighted /= weighted.sum(axis=1, keepdims=True)
        after = weighted.mean(axis=0)
        if np.abs(after - shares).max() < 1e-8:
            break
        shares = after
    result: Columns = weighted.argmax(axis=1)
    return result


def adjusted_count(truth: Columns, answered: Columns, own: Columns, labels: int) -> Floats:
    """Return shares corrected by the confusion of the audits (ACC; Forman, 2008)."""
    confusion = np.full((labels, labels), 1e-9)
    np.add.at(confusion, (answered, truth), 1)
    given_truth = confusion / confusion.sum(axis=0)
    shares, *_ = np.linalg.lstsq(given_truth, label_shares(own, labels), rcond=None)
    shares = np.clip(shares, 0, None)
    result: Floats = shares / shares.sum()
    return result


def with_temperature(texts: Texts, truth: Columns, audited: Columns) -> Floats:
    """Return all probabilities with the temperature that is likeliest on the audits."""
    scores = texts.scores
    temperatures = np.geomspace(0.2, 5, 60)
    losses = [
        -np.log(softmax_rows(scores[audited] / t)[np.arange(len(audited)), truth[audited]]).sum()
        for t in temperatures
    ]
    return softmax_rows(scores / temperatures[int(np.argmin(losses))])


def streams(data: Path, bundles: dict[str, Path], kept: Path) -> Iterator[Stream]:
    """Yield the streams that there are."""
    semeval = data / "semeval2017-4a"
    scorer = load_scorer(None, cache_size=0)
    sha256 = open_bundle(default_bundle()).identity.sha256
    yield _scored("SemEval 2017 test", [semeval / TEST_OF_2017], scorer, sha256, kept)
    for year in YEARS:
        files = sorted(semeval.glob(f"twitter-{year}*.tsv"))
        yield _scored(f"SemEval {year}", files, scorer, sha256, kept)
    for name, folder in bundles.items():
        bundle = open_bundle(folder)
        own = load_scorer(folder, cache_size=0)
        file = data / "tweeteval" / name
        yield _scored(f"TweetEval {name} test", [file], own, bundle.identity.sha256, kept)


def _scored(name: str, files: Iterable[Path], scorer: Scorer, sha256: str, kept: Path) -> Stream:
    labels = scorer.labels
    rows = [row for file in files for row in read_labelled(file, labels=labels).rows]
    texts = list(dict.fromkeys(row.text for row in rows))
    key = hashlib.sha256("\0".join([sha256, *texts]).encode(errors="replace")).hexdigest()
    file = kept / f"{key}.npy"
    if not file.is_file():
        found = []
        for start in range(0, len(texts), 512):
            found += scorer.predict(texts[start : start + 512])
            print(f"\r{name}: {len(found):,} of {len(texts):,}", end="", file=sys.stderr)  # noqa: T201
        print(file=sys.stderr)  # noqa: T201
        answers = [[answer.probabilities[label] for label in labels] for answer in found]
        kept.mkdir(parents=True, exist_ok=True)
        np.save(file, np.array(answers))
    probabilities = dict(zip(texts, np.load(file), strict=True))
    matrix = np.array([probabilities[row.text] for row in rows])
    truth = np.array([labels.index(row.label) for row in rows], dtype=np.int64)
    return Stream(name, Texts(matrix, [()] * len(rows)), truth)


def main() -> int:
    """Print the table in Markdown, and a decision that was refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.decision_table")
    parser.add_argument("data", type=Path, help="folder with semeval2017-4a and tweeteval")
    parser.add_argument("--bundle", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "murmur-decision-table"
    )
    arguments = parser.parse_args()
    bundles = dict(pair.split("=", 1) for pair in arguments.bundle)
    heading = "| stream | method | audits | accuracy | macro-recall | share error | refused |"
    print(heading, "|---|---|---|---|---|---|---|", sep="\n")  # noqa: T201
    refused = []
    for stream in streams(
        arguments.data, {name: Path(folder) for name, folder in bundles.items()}, arguments.kept
    ):
        for row in rows_of(stream, arguments.draws):
            print(row.line(), flush=True)  # noqa: T201
            refused += [f"{row.stream}, {row.audits} audits: {why}" for why in row.refused[:1]]
    print("\nMean of the draws, and the worst. Of those refused, for example:\n")  # noqa: T201
    print(*(f"- {why}" for why in refused), sep="\n")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
