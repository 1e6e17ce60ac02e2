"""`murmur model export`."""

from pathlib import Path

import click

from model_server.bundle_option import BundlePath
from retrain.export.options import naming_options
from retrain.many_files_option import ManyFilesCommand
from retrain.seed_option import seed_option
from retrain.training_libraries import prepare_libraries
from schemas.printing import print_json


@click.command(cls=ManyFilesCommand, short_help="Make a bundle of a trained model.")
@click.argument("trained", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="Folder to create; it must not exist.",
)
@click.option(
    "--against",
    type=BundlePath(),
    metavar="BUNDLE",
    help="Bundle to compare the CPU cost of a tweet with. Default: the bundle that serves now.",
)
@click.option("--any-cost", is_flag=True, help="Do not compare the CPU cost with another bundle.")
@click.option(
    "--test",
    "tests",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE|DIR…",
    help="Label files that were not used to choose anything; their figures go into the card.",
)
@naming_options
@seed_option("Seed of the intervals in the card.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def export(
    trained: Path,
    out: Path,
    against: Path | None,
    any_cost: bool,
    tests: tuple[Path, ...],
    name: str | None,
    version: str,
    licence: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Make a bundle of a trained model: int8 ONNX with calibrated confidences.

    It brings sums over its validation texts, without the texts: `murmur watch` holds a stream
    against them until that has a reference of its own.

    A gate measures it on its validation texts and refuses what differs too much from the
    unquantised model, depends on the batch, is too large, or costs more than the last bundle.
    """
    prepare_libraries()
    from model_server.bundle import default_bundle
    from retrain.datasets.reading import label_files, read_labelled
    from retrain.export.display import export_shown, exported_view
    from retrain.export.export_bundle import ExportSpec
    from retrain.trained_model import read_trained
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    if against and any_cost:
        raise click.UsageError("--any-cost and --against exclude each other")
    against = None if any_cost else against or load_settings().model or default_bundle()
    labels = read_trained(trained).labels
    files = [file for path in tests for file in label_files(path)]
    exported = export_shown(
        ExportSpec(
            trained=trained,
            out=out.absolute(),
            name=name or out.absolute().name,
            version=version,
            licence=licence,
            against=against,
            tests=tuple(read_labelled(file, labels=labels) for file in files),
            seed=seed,
        )
    )
    if as_json:
        print_json(exported)
    else:
        print_whole(terminal_console(), exported_view(exported))
