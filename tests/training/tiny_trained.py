"""A trained model as `murmur model train` leaves one, small enough to be made in seconds."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from retrain.trained_model import (
    CalibrationText,
    LearnedFrom,
    Trained,
    ValidationText,
    write_trained,
)

TELLING: Final = {
    "negative": "awful broken late rude cold lost ugly boring angry sad".split(),
    "neutral": "monday room number paper north table seven bus page street".split(),
    "positive": "lovely great happy warm sweet fun bright kind proud glad".split(),
}
_OTHERS: Final = "the a my this is was and with again today it so very at our".split()
_SPECIAL: Final = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def texts_of(count: int, seed: int) -> list[tuple[str, str]]:
    """Return texts with their labels: most words of a text that tell anything tell its label."""
    rng = random.Random(seed)
    labels = list(TELLING)
    rows = []
    for number in range(count):
        label = labels[number % len(labels)]
        other = rng.choice(labels)
        words = rng.choices(_OTHERS, k=rng.randint(1, 12))
        words += rng.choices(TELLING[label], k=rng.randint(1, 3))
        words.append(rng.choice(TELLING[other]))
        rng.shuffle(words)
        rows.append((" ".join(words), label))
    return rows


def tiny_trained(folder: Path, *, test_sha256: Sequence[str] = (), steps: int = 80) -> Path:
    """Train a DistilBERT of 64 × 2 layers on such texts, write it, and return its folder.

    The weights are the same whatever ran before in this process: with two threads they differ.
    """
    torch.set_num_threads(1)
    torch.manual_seed(3)
    words = [*_SPECIAL, *_OTHERS, *(word for telling in TELLING.values() for word in telling)]
    tokenizer = _tokenizer(words)
    labels = tuple(TELLING)
    model = DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=len(words),
            dim=64,
            n_layers=2,
            n_heads=4,
            hidden_dim=128,
            max_position_embeddings=64,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
        )
    )
    training = texts_of(32 * steps, seed=1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for start in range(0, len(training), 32):
        batch = training[start : start + 32]
        input_ids, attention_mask = _padded(tokenizer, [text for text, _ in batch])
        truth = torch.tensor([labels.index(label) for _, label in batch])
        logits = model(input_ids=input_ids, attention_mask=attention_mask).logits
        torch.autograd.backward(torch.nn.functional.cross_entropy(logits, truth))
        optimiser.step()
        optimiser.zero_grad()
    _make_one_channel_stand_out(model)
    trained = Trained(
        labels=labels,
        cleaning="1",
        languages=("en",),
        max_tokens=32,
        class_biases=(-0.3, 0.1, 0.2),
        seed=1,
        recipe={"steps": steps},
        base="none",
        data_sha256="0" * 64,
        commit="unknown",
        figures={},
        wall_s=1.0,
        data=LearnedFrom(
            files={"train.tsv": 32 * steps},
            test_files=("test.tsv", "seen.tsv"),
            test_sha256=tuple(test_sha256),
            training={},
            validation={},
            unlabelled=0,
            kept_out_sha256="0" * 64,
        ),
    )
    write_trained(
        folder,
        trained,
        save_weights=model.save_pretrained,
        tokenizer=tokenizer,
        calibration=[CalibrationText(text=text) for text, _ in training[:256]],
        validation=[
            ValidationText(id=str(number), text=text, label=label)
            for number, (text, label) in enumerate(texts_of(400, seed=2))
        ],
    )
    return folder


def _make_one_channel_stand_out(model: DistilBertForSequenceClassification) -> None:
    """Let a channel reach far above all others, as in grown models; the answers stay nearly."""
    feed_forward = model.distilbert.transformer.layer[0].ffn
    with torch.no_grad():
        feed_forward.lin1.weight[5] *= 40
        feed_forward.lin1.bias[5] = 40 * feed_forward.lin1.bias[5].abs()
        feed_forward.lin2.weight[:, 5] /= 40


def _tokenizer(words: Sequence[str]) -> Tokenizer:
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _padded(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    encoded = [torch.tensor(found.ids) for found in tokenizer.encode_batch(list(texts))]
    input_ids = torch.nn.utils.rnn.pad_sequence(encoded, batch_first=True)
    return input_ids, (input_ids != 0).long()
