"""A base of a few thousand weights and label sets of our own, for tests that train."""

import random
import shutil
from pathlib import Path

WORDS = {
    "calm": "lake quiet soft slow rest tea".split(),
    "cross": "angry shout slam foot red bad".split(),
    "glad": "sun dance gift song win love".split(),
}
OTHERS = "the and then with over today again house road cat tree fast two my your we".split()


def write_labels(file: Path, *, rows: int, seed: int = 1, labels: tuple[str, ...] = ()) -> Path:
    """Write a CSV with ids; one word of each text tells its label."""
    draw = random.Random(seed)
    lines = ["id,text,label"]
    for number in range(rows):
        label = draw.choice(labels or ("calm", "cross", "cross"))
        words = [draw.choice(OTHERS) for _ in range(draw.randint(5, 12))]
        words.insert(draw.randrange(len(words)), draw.choice(WORDS[label]))
        lines.append(f"{number},{' '.join(words)},{label}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def tiny_base(folder: Path) -> Path:
    """Write a DistilBERT, 32 wide, with the default base's word pieces."""
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    from retrain.bases.minilm import wheel_folder

    torch.manual_seed(0)
    config = DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=64)
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    shutil.copy(wheel_folder() / "tokenizer.json", folder)
    return folder
