"""More layers than a base has, or fewer, each begun as one of its own."""

import copy
from typing import Any

from schemas.failures import Failure


def set_layers(model: Any, layers: int) -> None:
    """Give a DistilBERT this many layers, in place, spread evenly over those that it has.

    The first and the last stay what they are. Fewer is how DistilBERT was begun (Sanh et al. 2019,
    "DistilBERT"), more is depth up-scaling (Kim et al. 2023, "SOLAR 10.7B"); either has to learn
    from there. Raises `Failure` for another architecture.
    """
    if (kind := model.config.model_type) != "distilbert":
        raise keeps_its_layers(kind)
    transformer = model.distilbert.transformer
    begun_as = nearest_layers(len(transformer.layer), layers)
    transformer.layer = type(transformer.layer)(
        copy.deepcopy(transformer.layer[place]) for place in begun_as
    )
    transformer.n_layers = model.config.n_layers = layers


def keeps_its_layers(kind: str) -> Failure:
    """Return the refusal to change the layers of another model type."""
    return Failure(f"the layers of a {kind} cannot be changed: remove --layers")


def nearest_layers(known: int, wanted: int) -> list[int]:
    """Return the place of the layer that each of the wanted layers begins as."""
    return [round(n * (known - 1) / max(wanted - 1, 1)) for n in range(wanted)]
