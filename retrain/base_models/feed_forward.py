"""A narrower feed-forward part than a base has: the neurons that weigh most, with their weights."""

from typing import Any

from schemas.failures import Failure


def set_feed_forward(model: Any, neurons: int) -> None:
    """Leave a DistilBERT this many feed-forward neurons in each layer, in place.

    Those stay whose norm of incoming weights times the norm of outgoing weights is largest. This is
    structured pruning by magnitude (Li et al. 2017, "Pruning Filters for Efficient ConvNets"). The
    model has to learn from there. Raises `Failure` for another architecture, and for more neurons
    than the base has.
    """
    import torch

    if (kind := model.config.model_type) != "distilbert":
        raise keeps_its_feed_forward(kind)
    if neurons > (known := model.config.hidden_dim):
        raise Failure(f"--feed-forward must be at most {known}: the base has no more neurons")
    with torch.no_grad():
        for layer in model.distilbert.transformer.layer:
            part = layer.ffn
            weighs = part.lin1.weight.norm(dim=1) * part.lin2.weight.norm(dim=0)
            kept = weighs.topk(neurons).indices.sort().values
            part.lin1 = _linear(part.lin1.weight[kept], part.lin1.bias[kept])
            part.lin2 = _linear(part.lin2.weight[:, kept], part.lin2.bias)
    model.config.hidden_dim = neurons


def keeps_its_feed_forward(kind: str) -> Failure:
    """Return the refusal to narrow the feed-forward part of another model type."""
    return Failure(f"the feed-forward part of a {kind} cannot be changed: remove --feed-forward")


def _linear(weight: Any, bias: Any) -> Any:
    from torch import nn

    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight.copy_(weight)
    linear.bias.copy_(bias)
    return linear
