"""Word pieces are counted by the tokenizer of the model that scored, also of a promoted one."""

from pathlib import Path

from model_server.bundle import Bundle
from model_server.bundle_store import BundleStore
from retrain.drift.watch.scoring_models import ASKED_AGAIN_AFTER_S, MOST, ScoringModels
from tests.keyword_bundle import keyword_bundle


def bundle(folder: Path, name: str) -> Bundle:
    return keyword_bundle(folder / name, {f"word{name}": "good", "bad": "bad"}, name=name)


def test_each_models_own_tokenizer_counts(tmp_path: Path) -> None:
    own, promoted = bundle(tmp_path, "own"), bundle(tmp_path, "promoted")
    addresses = {promoted.identity.sha256: str(promoted.folder)}
    models = ScoringModels(own.folder, BundleStore(tmp_path / "store"), addresses.get)
    for known, word in ((own, "wordown"), (promoted, "wordpromoted")):
        counter = models.counter_of(known.identity.sha256)
        assert counter is not None
        assert counter.count(f"{word} strange bad").unknown == 1
        assert models.counter_of(known.identity.sha256) is counter
    assert models.counter_of("f" * 64) is None


def test_a_bundle_that_cannot_be_had_is_asked_for_again_after_a_while(tmp_path: Path) -> None:
    late = bundle(tmp_path, "late")
    asked, now_s = [], [0.0]

    def address_of(sha256: str) -> str | None:
        asked.append(sha256)
        return str(late.folder) if len(asked) > 1 else str(tmp_path / "nowhere")

    store = BundleStore(tmp_path / "store")
    models = ScoringModels(tmp_path / "no-bundle", store, address_of, lambda: now_s[0])
    assert models.counter_of(late.identity.sha256) is None
    assert models.counter_of(late.identity.sha256) is None
    assert len(asked) == 1
    now_s[0] = ASKED_AGAIN_AFTER_S
    assert models.counter_of(late.identity.sha256) is not None


def test_few_tokenizers_are_in_memory(tmp_path: Path) -> None:
    bundles = {each.identity.sha256: each for each in (bundle(tmp_path, str(n)) for n in range(6))}
    models = ScoringModels(
        tmp_path / "none", BundleStore(tmp_path / "store"), lambda sha: str(bundles[sha].folder)
    )
    found = [models.counter_of(sha256) for sha256 in bundles]
    first, last = next(iter(bundles)), list(bundles)[-MOST]
    assert models.counter_of(last) is found[-MOST]
    assert models.counter_of(first) is not found[0]
