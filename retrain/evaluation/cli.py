"""`murmur model evaluate`."""

from pathlib import Path

import click

from model_server.bundle_option import BundlePath
from retrain.many_files_option import ManyFilesCommand
from retrain.seed_option import seed_option
from retrain.training_libraries import prepare_libraries
from schemas.printing import print_json


@click.command(cls=ManyFilesCommand, short_help="Measure bundles on labelled texts.")
@click.argument(
    "bundles",
    nargs=-1,
    required=True,
    metavar="BUNDLE…",
    type=BundlePath(),
)
@click.option(
    "--labels",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE|DIR…",
    help="SemEval TSV, text,label CSV or TSV, or TweetEval folders; the texts "
    "of all of them are measured together.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Also write an HTML page with charts of confusion, reliability and confidence.",
)
@seed_option("Seed of the bootstrap.")
def evaluate(
    bundles: tuple[Path, ...],
    labels: tuple[Path, ...],
    as_json: bool,
    report: Path | None,
    seed: int,
) -> None:
    """Measure bundles on labelled texts, by the engine that serves them.

    Several bundles are compared with the first, text by text. Every figure has a 95 % interval.
    """
    prepare_libraries()
    from retrain.evaluation.display import evaluation_view
    from retrain.evaluation.measure_bundles import measure
    from schemas.failures import Failure
    from schemas.terminal import print_whole, terminal_console

    evaluation = measure(bundles, labels, seed=seed, console=terminal_console(stderr=True))
    if report is not None:
        from retrain.evaluation.html_report import page

        try:
            report.write_text(page(evaluation), encoding="utf-8")
        except OSError as error:
            raise Failure(f"cannot write {report}: {error.strerror}") from error
    if as_json:
        print_json(evaluation)
    else:
        print_whole(terminal_console(), evaluation_view(evaluation))
