"""The recipe's figures as options of a command, each with its default and meaning."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final, TypeVar, get_args

import click

from retrain.training.recipe import Recipe

_RANGES: Final[dict[str, click.ParamType]] = {
    "epochs": click.IntRange(1, 100),
    "batch_texts": click.IntRange(1, 4096),
    "max_tokens": click.IntRange(8, 512),
    "learning_rate": click.FloatRange(0, 1, min_open=True),
    "warm_up_share": click.FloatRange(0, 1),
    "weight_decay": click.FloatRange(0, 1),
    "gradient_norm": click.FloatRange(0, min_open=True),
    "prior_strength": click.FloatRange(0, 10),
    "label_smoothing": click.FloatRange(0, 1, max_open=True),
    "averaging_decay": click.FloatRange(0, 1, max_open=True),
    "evaluations_per_epoch": click.IntRange(1, 1000),
    "patience": click.IntRange(0),
    "teacher_weight": click.FloatRange(0, 1),
    "teacher_temperature": click.FloatRange(0, min_open=True),
    "lora_rank": click.IntRange(0, 256),
}
_Command = TypeVar("_Command", bound=Callable[..., Any])


def recipe_options(command: _Command) -> _Command:
    """Add an option for each figure of the recipe; `--lora RANK` is that of `lora_rank`."""
    for figure in reversed(fields(Recipe)):
        name = "lora" if figure.name == "lora_rank" else figure.name.replace("_", "-")
        switch = f"--{name}/--no-{name}" if isinstance(figure.default, bool) else f"--{name}"
        kind = _RANGES.get(figure.name)
        if choices := get_args(figure.type):
            kind = click.Choice(choices)
        command = click.option(
            switch,
            figure.name,
            type=kind,
            default=figure.default,
            show_default=True,
            help=figure.metadata["meaning"],
        )(command)
    return command
