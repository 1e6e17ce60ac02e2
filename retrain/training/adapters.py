"""LoRA (Hu et al. 2021): small matrices trained beside frozen weights, then merged into them."""

import warnings
from typing import Any, Final

_HEAD: Final = ("pre_classifier", "classifier")


def with_adapters(model: Any, rank: int) -> Any:
    """Return the model with adapters of this rank at every linear layer; its head trains whole."""
    from peft import LoraConfig, get_peft_model

    heads = [name for name, _ in model.named_children() if name in _HEAD]
    adapters = LoraConfig(
        task_type="SEQ_CLS",
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        exclude_modules=rf".*({'|'.join(heads)}).*",
        modules_to_save=heads,
    )
    with warnings.catch_warnings():
        # Of transformers, for what peft asks it.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(model, adapters)


def merged(model: Any) -> Any:
    """Return the model of which the adapters have become a part."""
    return model.merge_and_unload()
