"""`murmur model reference`."""

from pathlib import Path

import click

from retrain.many_files_option import ManyFilesCommand
from schemas.printing import print_json, print_line


@click.command(
    cls=ManyFilesCommand, short_help="Add the figures of its validation texts to a bundle."
)
@click.argument(
    "bundle", metavar="BUNDLE", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--trained",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The trained model that the bundle was exported of: its validation texts are taken.",
)
@click.option(
    "--texts",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE|DIR…",
    help="Label files with the validation texts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def reference(bundle: Path, trained: Path | None, texts: tuple[Path, ...], as_json: bool) -> None:
    """Add the figures of its validation texts to a bundle that was exported without them.

    `murmur watch` holds a stream against them until that has a reference of its own. They are sums
    over the texts: none of the texts goes into the bundle. Its hash stays as it is.
    """
    if (trained is None) == (not texts):
        raise click.UsageError("give either --trained or --texts")
    from retrain.datasets.reading import label_files, read_every_text
    from retrain.export.validation_figures import add_figures
    from retrain.trained_model import read_validation

    if trained is not None:
        found = [row.text for row in read_validation(trained)]
    else:
        files = (file for path in texts for file in label_files(path))
        found = [text for file in files for text in read_every_text(file, split="val")]
    added = add_figures(bundle, found)
    if as_json:
        print_json(added)
        return
    print_line(f"{added.counts.judged:,} validation texts: their figures are in {added.bundle}")
