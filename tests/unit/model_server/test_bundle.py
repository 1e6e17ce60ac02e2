"""A bundle that is not what its manifest says is refused; the default one is."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from model_server.bundle import (
    CARD,
    MANIFEST,
    MODEL,
    SHIPPED,
    TOKENIZER,
    RefusedBundle,
    bundle_folder,
    default_bundle,
    identity_of,
    open_bundle,
    sha256_of,
)
from model_server.bundle_option import BundlePath
from model_server.onnx_engine import (
    _BATCH_TOKENS,
    BATCH_TEXTS,
    OnnxEngine,
    UnscorableTexts,
    _batches_by_length,
)
from model_server.scorer import Prediction, Scorer, load_scorer
from model_server.seal_bundle import seal_bundle, unsealed_engine
from model_server.self_test import self_test
from tests.keyword_bundle import keyword_bundle

TEXTS = [f"{'very ' * (number % 40)}good day number {number}" for number in range(70)]


LABELS = ("negative", "neutral", "positive")


@pytest.fixture(scope="module")
def engine() -> OnnxEngine:
    return OnnxEngine(open_bundle(default_bundle()))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))


@pytest.mark.parametrize("where", ["weights.bin", "../weights.bin"])
def test_weights_that_the_manifest_does_not_vouch_for_are_not_read(
    tmp_path: Path, where: str
) -> None:
    words = {f"word{number}": ("positive", "negative")[number % 2] for number in range(50)}
    bundle = keyword_bundle(tmp_path / "bundle", words)
    model = onnx.load(bundle.folder / MODEL)
    onnx.save_model(
        model,
        bundle.folder / MODEL,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=100,
    )
    shutil.copy(bundle.folder / "weights.bin", tmp_path)
    moved = onnx.load(bundle.folder / MODEL, load_external_data=False)
    for initializer in moved.graph.initializer:
        for entry in initializer.external_data:
            if entry.key == "location":
                entry.value = where
    (bundle.folder / MODEL).write_bytes(moved.SerializeToString())
    manifest = json.loads((bundle.folder / MANIFEST).read_text())
    manifest["files"][MODEL] = sha256_of(bundle.folder / MODEL)
    (bundle.folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RefusedBundle, match="External data path"):
        OnnxEngine(open_bundle(bundle.folder))


@pytest.mark.parametrize(
    "text",
    [
        "word " * 10_000,
        "a longer word " * 3_000 + "x" * 20_000,
        " " * 9_000 + "words behind many spaces",
        "\u200d " * 6_000 + "words behind many joiners",
        "x" * 30_000 + " end",
        "face with tears of joy enraged face " * 20_000,
        "漢字 仮名 " * 5_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_of_a_long_text_the_model_sees_the_same_as_of_all_of_it(
    engine: OnnxEngine, text: str
) -> None:
    tokenizer = Tokenizer.from_file(str(default_bundle() / TOKENIZER))
    tokenizer.enable_truncation(max_length=open_bundle(default_bundle()).manifest.max_tokens)
    assert engine.token_ids([text, "short"]) == [
        tokenizer.encode(text).ids,
        tokenizer.encode("short").ids,
    ]


def test_the_longest_text_that_cleaning_makes_is_tokenised_at_once(engine: OnnxEngine) -> None:
    text = "face with tears of joy enraged face " * 25_000
    engine.token_ids(["warm"])
    started_s = time.process_time()
    engine.token_ids([text])
    assert time.process_time() - started_s < 0.1


@pytest.mark.parametrize("name", SHIPPED)
def test_a_text_gets_the_same_probabilities_whatever_its_neighbours(name: str) -> None:
    bundle = open_bundle(Path(name))
    engine = OnnxEngine(bundle)
    self_test(bundle, engine)
    together = engine.probabilities(TEXTS)
    alone = np.concatenate([engine.probabilities([text]) for text in TEXTS])
    assert np.array_equal(together, alone)
    assert np.allclose(together.sum(axis=1), 1)


def test_many_threads_get_what_one_gets(engine: OnnxEngine) -> None:
    identity = open_bundle(default_bundle()).identity
    expected = Scorer(identity, engine, cache_size=0).predict(TEXTS)
    shared = Scorer(identity, engine, cache_size=20)
    turns = [TEXTS[begin : begin + 10] for begin in range(0, 60, 5)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(shared.predict, turns))
    assert found == [expected[begin : begin + 10] for begin in range(0, 60, 5)]
    assert shared.cache_hits + shared.cache_misses == sum(map(len, turns))


@given(st.lists(st.integers(1, 600), max_size=100))
def test_a_batch_is_as_small_as_a_cores_cache_asks(lengths: list[int]) -> None:
    batches = list(_batches_by_length(lengths))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        padded_tokens = len(batch) * max(lengths[row] for row in batch)
        assert len(batch) == 1 or (len(batch) <= BATCH_TEXTS and padded_tokens <= _BATCH_TOKENS)


def test_no_texts_are_no_rows(engine: OnnxEngine) -> None:
    assert engine.probabilities([]).shape == (0, 3)


def test_long_and_empty_texts_are_scored(engine: OnnxEngine) -> None:
    assert np.isfinite(engine.probabilities(["", "x" * 50_000, "word " * 10_000])).all()


@pytest.mark.parametrize("text", ["lone \ud800", "word " * 3_000])
def test_what_the_tokenizer_or_the_model_refuses_is_said_to_be_the_texts_fault(text: str) -> None:
    engine = OnnxEngine(open_bundle(default_bundle()))
    engine._tokenizer.enable_truncation(max_length=10_000)
    assert engine.probabilities(["a good day"]).shape == (1, 3)
    with pytest.raises(UnscorableTexts):
        engine.probabilities(["a good day", text])


def test_a_changed_byte_is_refused(copy: Path) -> None:
    weights = bytearray((copy / MODEL).read_bytes())
    weights[len(weights) // 2] ^= 1
    (copy / MODEL).write_bytes(weights)
    with pytest.raises(RefusedBundle, match="SHA-256"):
        load_scorer(copy, cache_size=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cleaning": "99"}, "is unknown"),
        ({"labels": ["a", "b"]}, "number of labels"),
        ({"labels": ["a", "a", "b"]}, "twice"),
        ({"labels": ["a", "b", "c\x00"]}, "controls"),
        ({"labels": ["a", "b", " c"]}, "space around"),
        ({"labels": ["a"]}, "not a manifest"),
        ({"files": {}}, "does not list"),
        ({"files": {"../model.onnx": "0", "model.onnx": "0", "tokenizer.json": "0"}}, "outside"),
        ({"tone": "new"}, "not a manifest"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    copy: Path, change: dict[str, object], message: str
) -> None:
    manifest = json.loads((copy / MANIFEST).read_bytes())
    (copy / MANIFEST).write_text(json.dumps({**manifest, **change}))
    with pytest.raises(RefusedBundle, match=message):
        open_bundle(copy)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedBundle, match="is not a model bundle"):
        open_bundle(tmp_path)


def test_a_shipped_bundle_is_named_by_its_name_and_a_folder_of_that_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fast").mkdir()
    assert bundle_folder(Path("fast")).parent == default_bundle().parent
    assert load_scorer(Path("fast"), cache_size=0).identity.name == "murmur-sentiment-fast"
    assert identity_of(Path("default")) == open_bundle(default_bundle()).identity
    own = keyword_bundle(tmp_path / "own", {"good": "positive", "bad": "negative"})
    (tmp_path / "fast").rmdir()
    own.folder.rename(tmp_path / "fast")
    assert open_bundle(Path("fast")).identity == own.identity


def test_a_name_that_murmur_does_not_ship_is_refused_with_those_that_it_does() -> None:
    with pytest.raises(RefusedBundle, match="Murmur ships default and fast"):
        open_bundle(Path("best"))


def test_an_option_takes_a_shipped_name_or_a_folder_that_exists(tmp_path: Path) -> None:
    option = BundlePath()
    assert option.convert("fast", None, None) == bundle_folder(Path("fast"))
    assert option.convert(str(tmp_path), None, None) == tmp_path
    with pytest.raises(click.BadParameter, match="does not exist"):
        option.convert("best", None, None)


def test_weights_that_do_not_load_are_refused(copy: Path) -> None:
    (copy / MODEL).write_bytes(b"not a model")
    with pytest.raises(RefusedBundle, match="does not load"):
        seal_bundle(
            copy,
            name="broken",
            version="1",
            labels=("a", "b"),
            cleaning="1",
            languages=("en",),
            max_tokens=96,
            temperature=1.0,
            self_test_texts=["x"],
        )


@pytest.mark.parametrize("answer", [[0.98, 0.01, 0.01], [float("nan")] * 3])
def test_a_bundle_that_answers_otherwise_than_it_should_is_refused(
    copy: Path, engine: OnnxEngine, answer: list[float]
) -> None:
    manifest = json.loads((copy / MANIFEST).read_bytes())
    manifest["self_test"][0]["probabilities"] = answer
    (copy / MANIFEST).write_text(json.dumps(manifest).replace("NaN", "null"))
    if answer[0] != answer[0]:
        with pytest.raises(RefusedBundle, match="not a manifest"):
            open_bundle(copy)
    else:
        with pytest.raises(RefusedBundle, match="self-test case 0"):
            self_test(open_bundle(copy), engine)


def test_a_sealed_bundle_passes_its_own_self_test(copy: Path) -> None:
    bundle = seal_bundle(
        copy,
        name="again",
        version="2",
        labels=("bad", "so-so", "good"),
        cleaning="1",
        languages=("en",),
        max_tokens=64,
        temperature=2.0,
        self_test_texts=TEXTS[:5],
    )
    scorer = load_scorer(copy, cache_size=0)
    assert scorer.identity == bundle.identity
    assert set(scorer.predict(["fine"])[0].probabilities) == {"bad", "so-so", "good"}


def test_a_seal_vouches_for_every_file_but_the_card(copy: Path) -> None:
    beside = copy / "model.onnx.data"
    beside.write_bytes(b"weights of a large model")
    sealed = seal_bundle(
        copy,
        name="large",
        version="1",
        labels=("bad", "so-so", "good"),
        cleaning="1",
        languages=("en",),
        max_tokens=64,
        temperature=1.0,
        self_test_texts=TEXTS[:1],
    )
    (copy / CARD).write_text("another card")
    assert open_bundle(copy).identity == sealed.identity
    beside.write_bytes(b"weights of another model")
    with pytest.raises(RefusedBundle, match=r"model\.onnx\.data has SHA-256"):
        open_bundle(copy)


def predicted(copy: Path, texts: Sequence[str] = TEXTS, **calibration: Any) -> list[Prediction]:
    seal_bundle(
        copy,
        name="own",
        version="1",
        labels=LABELS,
        cleaning="1",
        languages=("en",),
        max_tokens=96,
        self_test_texts=["x"],
        **calibration,
    )
    return load_scorer(copy, cache_size=0).predict(texts)


def test_a_higher_temperature_lowers_confidence_and_keeps_labels(copy: Path) -> None:
    plain, cooler = (predicted(copy, temperature=temperature) for temperature in (1.0, 3.0))
    assert [p.label for p in plain] == [p.label for p in cooler]
    assert all(c.confidence <= p.confidence for p, c in zip(plain, cooler, strict=True))


@pytest.mark.parametrize("temperature", [1.0, (0.5, 2.0, 1.5)])
def test_an_engine_that_is_open_already_seals_the_same_bundle_and_answers_as_it_does(
    copy: Path, temperature: float | tuple[float, ...]
) -> None:
    predicted(copy, temperature=temperature, lead_power=1.5)
    sealed_anew = (copy / MANIFEST).read_bytes()
    unsealed = unsealed_engine(copy, labels=LABELS, max_tokens=96)
    plain = unsealed.probabilities(TEXTS)
    predicted(copy, temperature=temperature, lead_power=1.5, unsealed=unsealed)
    assert (copy / MANIFEST).read_bytes() == sealed_anew
    answers = unsealed.calibrated_with(temperature, 1.5).probabilities(TEXTS)
    assert np.array_equal(answers, OnnxEngine(open_bundle(copy)).probabilities(TEXTS))
    assert not np.array_equal(answers, plain)
    assert np.array_equal(unsealed.probabilities(TEXTS), plain)


def test_each_label_may_have_a_calibration_of_its_own(copy: Path) -> None:
    texts = ["I hate this, it is awful", "the train leaves at noon", "I love this, it is great"]
    plain = predicted(copy, texts, temperature=1.0)
    assert tuple(each.label for each in plain) == LABELS
    negative, neutral, positive = predicted(copy, texts, temperature=(1e3, 1e-3, 1.0))
    assert negative.confidence == pytest.approx(1 / 3, abs=0.01)
    assert neutral.confidence == 1
    assert positive == plain[2]
    negative, neutral, positive = predicted(copy, texts, temperature=1.0, lead_power=(0.1, 3, 1))
    assert negative.confidence < plain[0].confidence
    assert neutral.confidence > plain[1].confidence
    assert positive == plain[2]
    assert open_bundle(copy).manifest.lead_power == (0.1, 3, 1)


@pytest.mark.parametrize("figure", ["temperature", "lead_power"])
def test_a_calibration_of_another_number_of_labels_is_refused(copy: Path, figure: str) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, figure: [1.0, 2.0]}))
    with pytest.raises(RefusedBundle, match="calibrated for another number of labels"):
        open_bundle(copy)


@pytest.mark.parametrize("cache_size", [0, 1, 2, 1000])
def test_equal_texts_are_scored_once_and_answers_do_not_depend_on_the_cache(
    engine: OnnxEngine, cache_size: int
) -> None:
    identity = open_bundle(default_bundle()).identity
    scorer = Scorer(identity, engine, cache_size=cache_size)
    texts = ["@ann hello", "@bob hello", "goodbye", "@ann hello"]
    first, second = scorer.predict(texts), scorer.predict(texts)
    assert first == second == Scorer(identity, engine, cache_size=0).predict(texts)
    assert scorer.cache_hits + scorer.cache_misses == 2 * len(texts)
    assert scorer.cache_misses == {0: 4, 1: 3}.get(cache_size, 2)


def test_the_serving_path_imports_no_training_library() -> None:
    program = (
        "import sys, stream_processors.scoring.score_worker, stream_processors.sink.sink_worker\n"
        "from model_server.scorer import load_scorer\n"
        "load_scorer(None, cache_size=1).predict(['x'])\n"
        "print(sorted({'torch', 'transformers', 'mlflow', 'pandas'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert result.stdout == b"[]\n"
