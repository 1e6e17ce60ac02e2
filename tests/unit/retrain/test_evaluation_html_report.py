"""The page of an evaluation shows whatever labels there are, and runs nothing."""

import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from msgspec import structs

from model_server.bundle import Bundle, default_bundle, open_bundle
from retrain.evaluation.evaluate import evaluate
from retrain.evaluation.html_report import page
from retrain.evaluation.predictions import Answers
from retrain.evaluation.schema import Evaluation

HOSTILE = ("<script>alert(1)</script>", "cost $x_1$ & $", "😍 \"'", "]]><b>")


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def evaluation(labels: tuple[str, ...], bundles: int = 2) -> Evaluation:
    rng = np.random.default_rng(1)
    bundle = open_bundle(default_bundle())
    manifest = structs.replace(bundle.manifest, name="<img src=x onerror=alert(1)>", labels=labels)
    hostile = Bundle(folder=bundle.folder, manifest=manifest, identity=bundle.identity)
    truth = rng.integers(0, len(labels), 200)
    measured = [
        (hostile, Answers.of(labels, truth, rng.dirichlet(np.ones(len(labels)), 200)))
        for _ in range(bundles)
    ]
    faults = {"<i>unknown</i>": 2}
    return evaluate(measured, labels_file="<u>x</u>.tsv", faults=faults, seed=1, resamples=50)


def test_no_label_name_or_file_becomes_markup() -> None:
    seen = Seen(page(evaluation(HOSTILE)))
    assert not {"script", "img", "b", "i", "u", "iframe", "object", "foreignobject"} & set(
        seen.tags
    )
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    for label in HOSTILE:
        assert label in seen.texts
    assert seen.tags.count("svg") == 6


def test_the_page_fetches_nothing() -> None:
    seen = Seen(page(evaluation(HOSTILE)))
    references = [value for name, value in seen.attributes if name in ("src", "href", "xlink:href")]
    assert all(reference.startswith("#") for reference in references)
    policies = [value for name, value in seen.attributes if name == "content"]
    assert any(policy.startswith("default-src 'none'") for policy in policies)


def test_what_a_picture_refers_to_stands_once_on_the_page() -> None:
    content = page(evaluation(HOSTILE, bundles=1))
    defined = Counter(value for name, value in Seen(content).attributes if name == "id")
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', content))
    assert used
    assert all(defined["".join(names)] == 1 for names in used)


@pytest.mark.parametrize("count", [2, 20, 50])
def test_any_number_of_labels_has_a_page(count: int) -> None:
    labels = tuple(f"label {number}" for number in range(count))
    content = page(evaluation(labels, bundles=1))
    assert all(f"<td>{label}</td>" in content for label in labels)


def test_the_same_evaluation_is_the_same_page() -> None:
    assert page(evaluation(HOSTILE)) == page(evaluation(HOSTILE))
