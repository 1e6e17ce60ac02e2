"""How a training runs, and the recipe's figures, as options of a command."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import click
from click.core import ParameterSource

from retrain.seed_option import seed_option
from retrain.training.recipe import Recipe, quick

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
    "word_dropout": click.FloatRange(0, 1, max_open=True),
    "layers": click.IntRange(0, 48),
    "feed_forward": click.IntRange(0, 16_384),
    "lora_rank": click.IntRange(0, 256),
}
_Command = TypeVar("_Command", bound=Callable[..., Any])


languages_option = click.option(
    "--languages",
    default="en",
    show_default=True,
    help="Languages of the texts, separated by commas.",
)


def running_options(command: _Command) -> _Command:
    """Add `out`, `seed`, `threads` and `checkpoint_s`."""
    for option in (
        click.option(
            "--checkpoint-s",
            type=click.FloatRange(0),
            default=120,
            show_default=True,
            help="Seconds between checkpoints. A kill loses at most this much work.",
        ),
        click.option(
            "--threads", type=click.IntRange(1), help="Processor threads. Default: one per core."
        ),
        seed_option(),
        click.option(
            "--out", type=click.Path(path_type=Path), required=True, help="Folder to write."
        ),
    ):
        command = option(command)
    return command


def recipe_options(only: Collection[str] | None = None) -> Callable[[_Command], _Command]:
    """Add an option for each figure of the recipe, or for some of them alone.

    Each has its default and meaning; `--lora RANK` is that of `lora_rank`.
    """

    def added(command: _Command) -> _Command:
        for figure in reversed(fields(Recipe)):
            if only is not None and figure.name not in only:
                continue
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

    return added


def recipe_of(options: Mapping[str, Any]) -> Recipe:
    """Take the recipe out of a command's options; what is no option there has its default."""
    names = {figure.name for figure in fields(Recipe)}
    return Recipe(**{name: value for name, value in options.items() if name in names})


def quick_as_chosen(recipe: Recipe, texts: int) -> Recipe:
    """Return the quick recipe for so many texts; refuse a chosen figure that would take longer."""
    names = {figure.name for figure in fields(Recipe) if chosen(figure.name)}
    shorter = quick(recipe, texts, names)
    for name in names:
        if getattr(recipe, name) != (most := getattr(shorter, name)):
            raise click.UsageError(f"with --quick {chosen(name)[0]} must be at most {most}")
    return shorter


def chosen(*names: str) -> list[str]:
    """Return those of these options that the person who called the command has named."""
    context = click.get_current_context()
    return [
        f"--{name.replace('_', '-')}"
        for name in names
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
