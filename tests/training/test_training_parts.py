"""Training's parts on torch: bases, loss, averages."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import torch

from model_server.bundle import MANIFEST
from model_server.onnx_runtime import load_onnx_runtime
from retrain.base_models import minilm
from retrain.base_models.feed_forward import set_feed_forward
from retrain.base_models.layer_count import nearest_layers, set_layers
from retrain.base_models.loading import load_base
from retrain.export.batches import Feeds
from retrain.export.first_token import keep_first_token
from retrain.export.onnx_model import largest_logit_difference, write_onnx
from retrain.trained_model import TrainedRefused
from retrain.training.batches import UNLABELLED, encode
from retrain.training.distillation import mean_logits, open_teacher
from retrain.training.hardware import choose_hardware
from retrain.training.inference import logits_of
from retrain.training.loss import Loss, log_prior, without_some
from retrain.training.recipe import Recipe
from retrain.training.weight_averaging import AveragedWeights
from schemas.failures import Failure
from tests.keyword_bundle import keyword_bundle
from tests.training.tiny_data import tiny_base

TEXTS = ["I love this, really! http @user", "no", "ünïcode 😍 and a much longer text " * 9]


def test_the_default_base_is_the_bert_of_its_wheel(tmp_path: Path) -> None:
    from transformers import BertModel

    base = load_base(minilm.NAME, ["a", "b"], max_tokens=96, cache=tmp_path)
    bert: Any = BertModel.from_pretrained(minilm.wheel_folder()).eval()
    for ids in encode(base.tokenizer, TEXTS):
        tokens = torch.tensor([ids])
        assert len(ids) <= 96
        with torch.no_grad():
            expected = bert(tokens).last_hidden_state
            found = base.model.eval().distilbert(tokens).last_hidden_state
        assert torch.allclose(found, expected, atol=1e-5)
    assert base.model.config.id2label == {0: "a", 1: "b"}


def test_a_folder_is_a_base_whatever_its_labels_were(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "tiny")
    base = load_base(str(folder), list("abcde"), max_tokens=12, cache=tmp_path)
    assert base.model.config.num_labels == 5
    assert max(map(len, encode(base.tokenizer, TEXTS))) == 12


def test_a_base_that_is_nowhere_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no base") as refusal:
        load_base(str(tmp_path / "none"), ["a", "b"], max_tokens=12, cache=tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_folder_that_is_no_base_is_said_without_asking_the_hub(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"neither a bundle's bundle.json nor a model's config.json"):
        load_base(str(tmp_path), ["a", "b"], max_tokens=12, cache=tmp_path)


def test_a_base_without_its_tokenizer_is_refused_and_not_read_as_unknown_words(
    tmp_path: Path,
) -> None:
    base = tiny_base(tmp_path / "base")
    (base / "tokenizer.json").unlink()
    with pytest.raises(Failure, match=r"tokenizer\.json missing"):
        load_base(str(base), ["a", "b"], max_tokens=16, cache=tmp_path)


def test_logits_do_not_depend_on_the_order_of_the_texts(tmp_path: Path) -> None:
    base = load_base(str(tiny_base(tmp_path)), ["a", "b"], max_tokens=96, cache=tmp_path)
    hardware = choose_hardware("fp32", 1)
    tokens = encode(base.tokenizer, TEXTS)
    there = logits_of(base.model, tokens, hardware)
    back = logits_of(base.model, tokens[::-1], hardware)[::-1]
    assert np.allclose(there, back, atol=1e-6)


def test_with_the_whole_prior_a_model_that_knows_nothing_weighs_all_labels_alike() -> None:
    labels = torch.tensor([0] * 90 + [1] * 10)
    loss = Loss(Recipe(label_smoothing=0), log_prior(labels, 2, 1.0))
    constant = torch.zeros(2, requires_grad=True)
    loss(constant.expand(100, 2), labels, None).backward()  # type: ignore[no-untyped-call]
    assert constant.grad is not None
    assert constant.grad.abs().max() < 1e-6


def test_a_student_that_answers_as_its_teacher_has_only_the_labels_left_to_learn() -> None:
    labels, recipe = torch.tensor([0, 1, 1]), Recipe(teacher_weight=0.7)
    loss = Loss(recipe, log_prior(labels, 2, 1.0))
    logits = torch.tensor([[2.0, -1], [0, 3], [1, 1]])
    of_labels = loss(logits, labels, None)
    assert loss(logits, labels, logits) == pytest.approx(0.3 * of_labels.item(), rel=1e-5)
    assert loss(logits, labels, -logits) > 2 * of_labels


def test_word_dropout_leaves_out_its_share_and_never_the_ends() -> None:
    torch.manual_seed(1)
    text = list(range(100, 140))
    left = [without_some(text, 0.25) for _ in range(300)]
    assert all(found[0] == 100 and found[-1] == 139 for found in left)
    assert all(found == sorted(found) for found in left)
    assert np.mean([len(found) for found in left]) == pytest.approx(2 + 38 * 0.75, abs=0.5)
    assert without_some(text, 0) == text


def test_an_unlabelled_text_adds_only_what_its_teacher_says() -> None:
    loss = Loss(Recipe(), log_prior(torch.tensor([0, 1]), 2, 1.0))
    logits, nothing = torch.tensor([[2.0, -1]]), torch.tensor([UNLABELLED])
    assert loss(logits, nothing, logits) == pytest.approx(0, abs=1e-6)
    assert loss(logits, nothing, -logits) > 0


def test_an_average_forgets_its_first_weights_and_then_moves_slowly() -> None:
    weights = {"w": torch.tensor([100.0])}
    average = AveragedWeights(weights, 0.99)
    weights["w"].fill_(1.0)
    for _ in range(1000):
        average.update(weights)
    assert average.weights["w"].item() == pytest.approx(1, abs=0.1)
    before = average.weights["w"].item()
    weights["w"].fill_(2.0)
    average.update(weights)
    assert average.weights["w"].item() - before == pytest.approx(0.01 * (2 - before), rel=1e-3)
    with average.in_place_of(weights):
        assert weights["w"].item() < 1.2
    assert weights["w"].item() == 2


def test_logits_that_are_no_numbers_are_no_small_difference(tmp_path: Path) -> None:
    base = load_base(str(tiny_base(tmp_path / "tiny")), ["a", "b"], max_tokens=12, cache=tmp_path)
    file = tmp_path / "model.onnx"
    write_onnx(base.model.eval(), (0.0, 0.0), file)
    words = np.array([[101, 2003, 102]])
    feeds = {"input_ids": words, "attention_mask": np.ones_like(words)}
    session = load_onnx_runtime().InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def logits(feeds: Feeds) -> Any:
        return session.run(None, feeds)[0]

    assert largest_logit_difference(base.model, (0.0, 0.0), logits, [feeds]) < 1e-4
    with torch.no_grad():
        base.model.classifier.weight[0, 0] = float("nan")
    assert np.isnan(largest_logit_difference(base.model, (0.0, 0.0), logits, [feeds, feeds]))


def test_the_first_token_alone_has_the_logits_of_all(tmp_path: Path) -> None:
    model = load_base(str(tiny_base(tmp_path)), ["a", "b"], max_tokens=12, cache=tmp_path).model
    alone = copy.deepcopy(model.eval())
    keep_first_token(alone)
    feeds = {
        "input_ids": torch.arange(1000, 1021).reshape(3, 7),
        "attention_mask": (torch.arange(7) < torch.tensor([[7], [2], [1]])).long(),
    }
    with torch.no_grad():
        assert torch.allclose(alone(**feeds).logits, model(**feeds).logits, atol=1e-6)
        assert alone.distilbert(**feeds).last_hidden_state.shape == (3, 1, 32)


@pytest.mark.parametrize(
    ("known", "wanted", "begun_as"),
    [
        (6, 7, [0, 1, 2, 2, 3, 4, 5]),
        (6, 4, [0, 2, 3, 5]),
        (2, 2, [0, 1]),
        (6, 1, [0]),
        (1, 3, [0, 0, 0]),
    ],
)
def test_layers_are_spread_evenly_over_those_of_the_base(
    known: int, wanted: int, begun_as: list[int]
) -> None:
    assert nearest_layers(known, wanted) == begun_as


def test_layers_begun_as_the_same_one_learn_apart(tmp_path: Path) -> None:
    model = load_base(str(tiny_base(tmp_path)), ["a", "b"], max_tokens=12, cache=tmp_path).model
    set_layers(model, 3)
    first, second, _ = model.distilbert.transformer.layer
    with torch.no_grad():
        assert torch.equal(first.ffn.lin1.weight, second.ffn.lin1.weight)
        first.ffn.lin1.weight += 1
    assert not torch.equal(first.ffn.lin1.weight, second.ffn.lin1.weight)
    model.save_pretrained(tmp_path / "deeper")
    assert type(model).from_pretrained(tmp_path / "deeper").config.n_layers == 3


def test_only_a_distilbert_gets_other_layers() -> None:
    model = SimpleNamespace(config=SimpleNamespace(model_type="mpnet"))
    with pytest.raises(Failure, match="remove --layers"):
        set_layers(model, 7)


def test_the_feed_forward_neurons_that_weigh_most_stay(tmp_path: Path) -> None:
    model = load_base(str(tiny_base(tmp_path)), ["a", "b"], max_tokens=12, cache=tmp_path).model
    model.eval()
    neurons = model.config.hidden_dim
    light = torch.arange(0, neurons, 2)
    with torch.no_grad():
        for layer in model.distilbert.transformer.layer:
            layer.ffn.lin1.weight[light] *= 100
            layer.ffn.lin2.weight[:, light] = 0
    tokens = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        expected = model(tokens).logits
        set_feed_forward(model, neurons // 2)
        assert torch.allclose(model(tokens).logits, expected, atol=1e-6)
    model.save_pretrained(tmp_path / "narrower")
    again = type(model).from_pretrained(tmp_path / "narrower")
    assert again.distilbert.transformer.layer[0].ffn.lin1.weight.shape[0] == neurons // 2


def test_no_more_feed_forward_neurons_than_the_base_has_and_only_a_distilberts(
    tmp_path: Path,
) -> None:
    model = load_base(str(tiny_base(tmp_path)), ["a", "b"], max_tokens=12, cache=tmp_path).model
    with pytest.raises(Failure, match=f"must be at most {model.config.hidden_dim}"):
        set_feed_forward(model, model.config.hidden_dim + 1)
    other = SimpleNamespace(config=SimpleNamespace(model_type="mpnet"))
    with pytest.raises(Failure, match="remove --feed-forward"):
        set_feed_forward(other, 64)


def test_a_bundle_teaches_what_it_answers_before_its_calibration(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    keyword_bundle(folder, {"good": "positive", "bad": "negative", "so": "neutral"})
    labels = ("positive", "negative", "neutral")
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(msgspec.json.encode({**manifest, "temperature": 3.0}))
    texts = ["good", "bad bad so", "nothing at all"] * 400
    told: list[int] = []

    def asked() -> npt.NDArray[np.float32]:
        return mean_logits(
            [open_teacher(folder, labels, "1")],
            texts,
            labels,
            hardware=choose_hardware("fp32", None),
            cache=tmp_path / "kept",
            done=told.append,
        )

    logits = asked()
    assert np.allclose(logits[:3] - logits[:3, :1], [[0, -4, -4], [0, 8, 4], [0, 0, 0]], atol=1e-5)
    assert sum(told) == len(texts)
    (kept,) = (tmp_path / "kept").iterdir()
    np.save(kept, np.load(kept) + 1)
    assert np.allclose(asked(), logits + 1), "kept answers are not asked for again"


def test_a_bundle_of_other_labels_or_cleaning_does_not_teach(tmp_path: Path) -> None:
    keyword_bundle(tmp_path / "bundle", {"good": "positive", "bad": "negative"})
    with pytest.raises(TrainedRefused, match="teaches"):
        open_teacher(tmp_path / "bundle", ("calm", "cross"), "1")
    with pytest.raises(TrainedRefused, match="cleaning"):
        open_teacher(tmp_path / "bundle", ("positive", "negative"), "2")
