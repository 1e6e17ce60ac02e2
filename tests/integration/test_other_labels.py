"""Rows, rollups, totals and exports follow the labels of whatever bundle scores."""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from model_server.scorer import load_scorer
from schemas.events import MatchedRule, TweetPosted
from schemas.settings import Settings
from schemas.topics import SCORED, SINK_GROUP
from schemas.transport.group_lag import GroupLag
from schemas.transport.postgres import Connection
from stream_processors.aggregates.from_postgres import aggregates_of
from stream_processors.aggregates.time_windows import parse_window
from tests.conditions import wait_until
from tests.integration.reading import NOW, run_command
from tests.integration.test_score import everything_scored, publish_raw, running_score
from tests.integration.test_sink import running_sink
from tests.keyword_bundle import keyword_bundle
from tests.recount import (
    differing_hashtag_rollups,
    differing_language_rollups,
    differing_rollups,
)
from tests.unit.examples import POSTED_AT, posted

TWO = {"calm": "not offensive", "rude": "offensive"}
MARKS = "❤ 😍 😂 💕 🔥 😊 😎 ✨ 💙 😘 📷 🇺🇸 ☀ 💜 😉 💯 😁 🎄 📸 [bold]=1+1"
TWENTY = {f"word{number}": f"{mark}, or so" for number, mark in enumerate(MARKS.split())}
FIFTY = {f"word{number}": f"{number:02} {'𝕏' * 97}" for number in range(50)}


def tweets(words: Mapping[str, str]) -> list[tuple[TweetPosted, str]]:
    """Return tweets with the label that each must get, some labels more often than others."""
    chosen = [word for number, word in enumerate(words) for _ in range(1 + number % 3)]
    return [
        (
            posted(
                run="other",
                tweet_id=str(800000000000000000 + number),
                posted_at=POSTED_AT + timedelta(minutes=7 * number),
                text=f"{word} #tag{number % 4} number {number}",
                label=words[word],
                rules=(MatchedRule(tag=f"rule {number % 2}"),),
            ),
            words[word],
        )
        for number, word in enumerate(chosen)
    ]


@pytest.mark.parametrize("words", [TWO, TWENTY, FIFTY], ids=["2", "20", "50"])
def test_the_whole_stream_follows_the_labels_of_the_bundle(
    settings: Settings, connection: Connection, tmp_path: Path, words: dict[str, str]
) -> None:
    bundle = keyword_bundle(tmp_path / "bundle", words)
    expected = tweets(words)
    run_through(settings.model_copy(update={"model": bundle.folder}), expected, tmp_path)
    by_label = Counter(label for _, label in expected)

    assert differing_rollups(connection) == []
    assert differing_hashtag_rollups(connection) == []
    assert differing_language_rollups(connection) == []
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT labels, sha256 FROM models")
        assert cursor.fetchall() == [(list(bundle.manifest.labels), bundle.identity.sha256)]
        cursor.execute("SELECT count(*) FROM dead_letters")
        assert cursor.fetchall() == [(0,)]

    (figures,) = aggregates_of(connection, "other", [parse_window("all")], NOW)
    assert {label.label: label.tweets for label in figures.labels} == by_label
    for groups in (figures.hashtags, figures.rules):
        assert sum((Counter(group.by_label) for group in groups), Counter()) == by_label
    in_series: Counter[str] = Counter()
    for point in figures.series:
        in_series.update(point.by_label)
    assert in_series == by_label
    label_of = {tweet.tweet_id: label for tweet, label in expected}
    assert_exports(settings, bundle.manifest.labels, label_of, tmp_path)
    assert_shown(settings, by_label)


def run_through(
    settings: Settings, expected: list[tuple[TweetPosted, str]], tmp_path: Path
) -> None:
    """Publish tweets and wait until `murmur score` and the sink are done with them."""
    lag = GroupLag(
        settings.kafka_connection,
        group=settings.names.group(SINK_GROUP),
        topics=[settings.names.topic(SCORED)],
    )
    with running_score(settings, tmp_path / "score.log"), running_sink(settings):
        publish_raw(settings, [tweet for tweet, _ in expected])
        wait_until(lambda: everything_scored(settings), 60, "everything to be scored")
        wait_until(lambda: lag.total() == 0, 60, "everything to be stored")


def assert_exports(
    settings: Settings, labels: tuple[str, ...], expected: dict[str, str], tmp_path: Path
) -> None:
    """Each format has every tweet with its label and a probability for every label."""
    paths = {form: tmp_path / f"tweets.{form}" for form in ("jsonl", "csv", "parquet")}
    for form, path in paths.items():
        result = run_command(
            settings, "export", "--run", "other", "--format", form, "--output", str(path)
        )
        assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in paths["jsonl"].read_text().splitlines()]
    cells = list(csv.DictReader(io.StringIO(paths["csv"].read_text(), newline="")))
    rows: list[dict[str, Any]] = parquet.read_table(paths["parquet"]).to_pylist()
    assert len(lines) == len(cells) == len(rows) == len(expected)
    for line, cell, row in zip(lines, cells, rows, strict=True):
        label = expected[line["tweet_id"]]
        assert line["label"] == line["human_label"] == row["label"] == cell["label"] == label
        assert set(line["probabilities"]) == set(labels)
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert max(line["probabilities"].values()) == line["confidence"]
        columns = {f"probability_{label}": p for label, p in line["probabilities"].items()}
        assert {name: row[name] for name in row if name.startswith("probability_")} == columns
        assert {name: float(cell[name]) for name in columns} == columns


def assert_shown(settings: Settings, by_label: Counter[str]) -> None:
    """The totals name every label, as a table and as JSON."""
    totals = run_command(settings, "totals", "--run", "other", COLUMNS="200").stdout
    assert all(label in totals for label in by_label)
    document = json.loads(run_command(settings, "totals", "--run", "other", "--json").stdout)
    found = {entry["label"]: entry["tweets"] for entry in document["aggregates"]["labels"]}
    assert found == by_label


def test_two_models_with_different_labels_stand_side_by_side(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    both = [({"good": "good", "bad": "bad"}, "a"), ({"good": "good", "meh": "so-so"}, "b")]
    for number, (words, name) in enumerate(both):
        bundle = keyword_bundle(tmp_path / name, words, name=name)
        assert load_scorer(bundle.folder, cache_size=0).labels == tuple(words.values())
        texts = [
            (posted(run="other", tweet_id=f"80000000000000{number}{n:03}", text=word), label)
            for n, (word, label) in enumerate(words.items())
        ]
        run_through(settings.model_copy(update={"model": bundle.folder}), texts, tmp_path)
    path = tmp_path / "tweets.csv"
    run_command(settings, "export", "--run", "other", "--format", "csv", "--output", str(path))
    cells = list(csv.DictReader(io.StringIO(path.read_text(), newline="")))
    assert [(cell["label"], cell["probability_bad"] == "") for cell in cells] == [
        ("good", False),
        ("bad", False),
        ("good", True),
        ("so-so", True),
    ]
    (figures,) = aggregates_of(connection, "other", [parse_window("all")], NOW)
    assert {label.label: label.tweets for label in figures.labels} == {
        "good": 2,
        "bad": 1,
        "so-so": 1,
    }
