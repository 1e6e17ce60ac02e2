"""What a training job is asked to do: stored with the job, the same for whoever takes it up."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from retrain.promotion.promotion_gate import GateLimits


class JobSpec(Struct, frozen=True, kw_only=True):
    """A training on the labels of a run, beside label files, judged on frozen audits of the run.

    `label_files` are learned from too; `standing_files` are the standing test set, from which
    nothing is learned. `frozen_share` of the audits is kept for the gate. `train_options` are
    further options of `murmur model train`. With `promote` a model that passes serves at once.
    """

    run: str
    label_files: tuple[str, ...] = ()
    standing_files: tuple[str, ...] = ()
    frozen_share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    least_of_a_label: Annotated[int, Meta(ge=1)] = 20
    quick: bool = False
    seed: int = 1
    train_options: tuple[str, ...] = ()
    limits: GateLimits = GateLimits()
    promote: bool = True

    def as_stored(self) -> dict[str, Any]:
        """Return it as JSON values."""
        stored: dict[str, Any] = msgspec.to_builtins(self)
        return stored


def spec_of(stored: dict[str, Any]) -> JobSpec:
    """Return the spec of what was stored; raise `msgspec.ValidationError` for another thing."""
    return msgspec.convert(stored, JobSpec)
