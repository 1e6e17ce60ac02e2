"""Do the weights name the words that the model goes by? Beside words in a random order.

`python -m tests.faithfulness [LABELFILE] [--tweets 500]` prints a table in Markdown; without a file
made-up texts are explained. Comprehensiveness is by how much the answer's probability falls without
the words of the largest weights (the higher the better), sufficiency by how much it falls with them
alone (the lower the better). Both are means over 1, 5, 10, 20 and 50 % of the words, rounded up
(DeYoung et al., "ERASER: A Benchmark to Evaluate Rationalized NLP Models", 2020). One core needs
six minutes for 500 tweets.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Final

import numpy as np

from model_server.explaining.explain import Method, Predict, answer, ask, explain, probabilities_of
from model_server.explaining.variants import Floats, variants_of
from model_server.explaining.words import words_of
from model_server.scorer import Scorer, load_scorer
from retrain.datasets.reading import read_every_text
from tests.benchmarks.texts import distinct_texts

SHARES: Final = (0.01, 0.05, 0.1, 0.2, 0.5)
RANDOM: Final = "random"
TIMED_WORDS: Final = 16
TIMED_TWEETS: Final = 41


@dataclass
class Row:
    """A line of the table: what each tweet gave."""

    comprehensiveness: list[float] = field(default_factory=list)
    sufficiency: list[float] = field(default_factory=list)
    asked_texts: list[int] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


class Asked:
    """The model, as explanations ask it."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.labels = scorer.labels

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the probabilities of texts."""
        return probabilities_of(self._scorer.predict(texts))


def orders_of(
    text: str, model: Asked, rng: np.random.Generator
) -> Iterator[tuple[str, Floats, int]]:
    """Yield each method, the words' weights by it, and how many texts it asked the model for."""
    words = 0
    for method in Method:
        question = ask(text, method)
        found = answer(question, model(question.variants.texts), model.labels)
        words = len(found.words)
        yield method, np.array([word.weight for word in found.words]), len(question.variants.texts)
    yield RANDOM, rng.random(words), 0


def faithfulness_of(text: str, weights: Floats, model: Predict) -> tuple[float, float]:
    """Return comprehensiveness and sufficiency of the order of these weights."""
    words = words_of(text)[: len(weights)]
    strongest = np.argsort(-weights, kind="stable")
    masks = np.ones((1 + 2 * len(SHARES), len(words)), dtype=np.bool_)
    for place, share in enumerate(SHARES):
        top = strongest[: int(np.ceil(share * len(words)))]
        masks[1 + place, top] = False
        masks[1 + len(SHARES) + place] = ~masks[1 + place]
    variants = variants_of(text, words, masks)
    probabilities = model(variants.texts)[variants.rows]
    of_label = probabilities[:, int(probabilities[0].argmax())]
    falls = of_label[0] - of_label[1:]
    return float(falls[: len(SHARES)].mean()), float(falls[len(SHARES) :].mean())


def add_times(rows: dict[str, Row], texts: Sequence[str], model: Asked) -> None:
    """Time each method on tweets of 16 words, the methods by turns."""
    timed = [text for text in texts if len(words_of(text)) == TIMED_WORDS][:TIMED_TWEETS]
    for text in timed:
        for method in Method:
            wall_s, cpu_s = time.perf_counter(), time.thread_time()
            explain(text, model, model.labels, method)
            rows[method].cpu_ms.append(1_000 * (time.thread_time() - cpu_s))
            rows[method].wall_ms.append(1_000 * (time.perf_counter() - wall_s))


def texts_of(file: Path | None) -> list[str]:
    """Return the distinct texts of a label file in a random order, always the same."""
    texts = list(distinct_texts(1, 1_000)) if file is None else read_every_text(file)
    distinct = list(dict.fromkeys(text for text in texts if words_of(text)))
    return [distinct[place] for place in np.random.default_rng(1).permutation(len(distinct))]


def main() -> int:
    """Print the table, and below it on what the times were measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.faithfulness")
    parser.add_argument("file", type=Path, nargs="?", help="a label file")
    parser.add_argument("--tweets", type=int, default=500)
    arguments = parser.parse_args()
    model = Asked(load_scorer(None, cache_size=4_096))
    texts = texts_of(arguments.file)
    rows = {name: Row() for name in (*Method, RANDOM)}
    # Variants of one text come again in others' only by chance: times are without the cache.
    add_times(rows, texts, Asked(load_scorer(None, cache_size=0)))
    load = os.getloadavg()[0]
    rng = np.random.default_rng(1)
    for number, text in enumerate(texts[: arguments.tweets], start=1):
        for name, weights, asked in orders_of(text, model, rng):
            comprehensiveness, sufficiency = faithfulness_of(text, weights, model)
            rows[name].comprehensiveness.append(comprehensiveness)
            rows[name].sufficiency.append(sufficiency)
            rows[name].asked_texts.append(asked)
        print(f"\r{number:,} of {arguments.tweets:,}", end="", file=sys.stderr)  # noqa: T201
    print(file=sys.stderr)  # noqa: T201
    print("| order | comprehensiveness | sufficiency | texts | p50 of CPU | p50 |")  # noqa: T201
    print("|---|---|---|---|---|---|")  # noqa: T201
    for name, row in rows.items():
        print(_line(name, row))  # noqa: T201
    timed = len(rows[Method.SHAP].wall_ms)
    print(f"\n{len(rows[RANDOM].sufficiency):,} tweets.", end=" ")  # noqa: T201
    print(f"Times of {timed} with {TIMED_WORDS} words,", end=" ")  # noqa: T201
    print(f"on {os.cpu_count()} cores at a load of {load:.1f}.")  # noqa: T201
    return 0


def _line(name: str, row: Row) -> str:
    asked = f"{mean(row.asked_texts):.0f}" if any(row.asked_texts) else ""
    times = [f"{median(each):.0f} ms" if each else "" for each in (row.cpu_ms, row.wall_ms)]
    faithful = [f"{mean(each):.3f}" for each in (row.comprehensiveness, row.sufficiency)]
    cells = [name, *faithful, asked, *times]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
