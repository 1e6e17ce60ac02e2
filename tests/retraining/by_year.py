"""What does renewing a model win over one that stays as it is, year by year?

`python -m tests.retraining.by_year SEMEVAL` with SEMEVAL the folder of SemEval-2017's label files
for task 4A. A small model is trained on the tweets of the tasks of 2013 and 2014. Those of 2015 to
2017 are the stream, task by task and each in order of time. Every tweet is answered by the model
that serves then; a part of them, drawn by a hash, is audited with the label that people gave. After
every `--every` tweets and at each year's end the stages of a job run as `murmur retrain run` has
them: half of the audits train, the others are frozen and judge. What passes serves from there on.
What is trained and answered is kept in `--kept`, and found there again.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from unittest.mock import patch

import msgspec
import numpy as np

from model_server.bundle import open_bundle
from retrain.datasets.rows import LabelledText
from retrain.evaluation.bootstrap import RESAMPLES, Figure, figure, resampled_sums
from retrain.evaluation.figures import figures_of, sums_of_each_text
from retrain.evaluation.predictions import Answers
from retrain.jobs.job_spec import JobSpec
from retrain.jobs.stages import STAGES, Desk
from retrain.jobs.stored_labels import StoredLabel
from retrain.promotion.promotion_gate import GateVerdict
from schemas.failures import Failure
from schemas.transport.postgres import Connection
from tests.retraining.trained_bundles import LABELS, SMALL, Workshop, audit_of

YEARS: Final = (2015, 2016, 2017)
EVERY: Final = 8_000
AUDITED: Final = 0.5


@dataclass
class Year:
    """A year's tweets: what the loop answered and what the first model answers."""

    loop: list[Answers] = field(default_factory=list)
    frozen: list[Answers] = field(default_factory=list)


@dataclass(frozen=True)
class Stretch:
    """Tweets of one year between two jobs."""

    year: int
    rows: Sequence[LabelledText]


def stretches(workshop: Workshop, every: int) -> Iterator[Stretch]:
    """Yield the stream: no tweet twice, and each year in the order of ids, which hold the time."""
    seen: set[str | None] = set()
    for year in YEARS:
        rows = []
        for row in workshop.rows(*workshop.files(year)):
            if row.id not in seen:
                seen.add(row.id)
                rows.append(row)
        rows.sort(key=lambda row: int(row.id or 0))
        for start in range(0, len(rows), every):
            yield Stretch(year, rows[start : start + every])


def is_audited(row: LabelledText, share: float) -> bool:
    """Tell whether people are asked about a tweet: drawn by its id, without sight of its text."""
    digest = hashlib.sha256(f"audited:{row.id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def run_job(
    workshop: Workshop, number: int, audits: Sequence[StoredLabel], champion: Path
) -> tuple[Path, GateVerdict]:
    """Train, export and judge a challenger; return its bundle and what the gate says."""
    threads = ("--threads", str(workshop.threads)) if workshop.threads else ()
    desk = Desk(
        spec=JobSpec(run="stream", train_options=(*SMALL, *threads)),
        number=number,
        folder=workshop.kept / "jobs" / f"{number}-{len(audits)}",
        # Only the labels are read from it, and these are here.
        connection=cast(Connection, None),
        champion=open_bundle(champion),
        run_command=workshop.model,
        register=lambda folder, _verdict: {"folder": str(folder)},
    )
    desk.folder.mkdir(parents=True, exist_ok=True)
    done: dict[str, dict[str, Any]] = {}
    with patch("retrain.jobs.stages.stored_labels", lambda _connection, _run: list(audits)):
        for stage in STAGES:
            done[stage.name] = stage.work(desk, done)
    return Path(done["register"]["folder"]), msgspec.convert(
        done["evaluate"]["verdict"], GateVerdict
    )


def joined(parts: Sequence[Answers]) -> Answers:
    """Return answers to one text after the other as one."""
    return Answers(
        LABELS,
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    )


def compared(frozen: Answers, loop: Answers) -> dict[str, tuple[float, float, Figure]]:
    """Return macro-recall and accuracy of both, and their difference with its 95 % interval."""
    sums = [sums_of_each_text(answers) for answers in (frozen, loop)]
    points = [figures_of(np.asarray(each.sum(axis=0)).ravel(), LABELS).headline() for each in sums]
    spreads = [
        figures_of(each, LABELS).headline()
        for each in resampled_sums(sums, resamples=RESAMPLES, seed=1)
    ]
    return {
        name: (
            float(points[0][name]),
            float(points[1][name]),
            figure(float(points[1][name] - points[0][name]), spreads[1][name] - spreads[0][name]),
        )
        for name in ("macro_recall", "accuracy")
    }


def main() -> int:
    """Print two tables in Markdown: the jobs, and the years."""
    parser = argparse.ArgumentParser(prog="python -m tests.retraining.by_year", description=__doc__)
    parser.add_argument("semeval", type=Path, help="folder with SemEval-2017's label files")
    parser.add_argument("--audited", type=float, default=AUDITED, help="share of tweets, to 1")
    parser.add_argument("--every", type=int, default=EVERY, help="tweets between two jobs")
    parser.add_argument("--threads", type=int, help="of a training; default: one per core")
    parser.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "murmur-retraining"
    )
    given = parser.parse_args()
    workshop = Workshop(given.semeval, given.kept, given.threads)
    first = workshop.first_model()
    champion = first
    years = {year: Year() for year in YEARS}
    audits: list[StoredLabel] = []
    _say(
        "| year | tweets so far | audits | frozen | on these | the gate | minutes |",
        "|---" * 7 + "|",
    )
    tweets = 0
    parts = list(stretches(workshop, given.every))
    for number, stretch in enumerate(parts, start=1):
        years[stretch.year].loop.append(workshop.answers(champion, stretch.rows))
        years[stretch.year].frozen.append(workshop.answers(first, stretch.rows))
        audits += [
            audit_of(row, row.label) for row in stretch.rows if is_audited(row, given.audited)
        ]
        tweets += len(stretch.rows)
        if number == len(parts):
            break
        begun = time.monotonic()
        judged, champion = _renewed(workshop, number, audits, champion)
        minutes = f"{(time.monotonic() - begun) / 60:.1f}"
        _say(f"| {stretch.year} | {tweets:,} | {len(audits):,} | {judged} | {minutes} |")

    _say(
        "",
        "| stream | tweets | macro-recall: frozen | renewed | won"
        " | accuracy: frozen | renewed | won |",
        "|---" * 8 + "|",
    )
    for name, some in [*((str(year), [years[year]]) for year in YEARS), ("all", [*years.values()])]:
        frozen = joined([part for year in some for part in year.frozen])
        loop = joined([part for year in some for part in year.loop])
        cells = [name, f"{len(loop.truth):,}"]
        for before, after, won in compared(frozen, loop).values():
            interval = f"{won.value:+.4f} ({won.low:+.4f} to {won.high:+.4f})"
            cells += [f"{before:.4f}", f"{after:.4f}", interval]
        _say(f"| {' | '.join(cells)} |")
    return 0


def _renewed(
    workshop: Workshop, number: int, audits: Sequence[StoredLabel], champion: Path
) -> tuple[str, Path]:
    try:
        challenger, verdict = run_job(workshop, number, audits, champion)
    except Failure as failure:
        return f" | | {failure}", champion
    better = next((rule for rule in verdict.rules if rule.name == "better on the audits"), None)
    value = "" if better is None or better.value is None else f"{better.value:+.4f}"
    broken = ", ".join(rule.name for rule in verdict.rules if not rule.passed)
    said = "passed" if verdict.passed else f"refused: {broken}"
    return f"{verdict.audits:,} | {value} | {said}", challenger if verdict.passed else champion


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
