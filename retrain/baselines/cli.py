"""`murmur model baselines`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from model_server.bundle_option import BundlePath
from retrain.datasets.options import source_options, sources_of
from retrain.many_files_option import ManyFilesCommand
from retrain.seed_option import seed_option
from retrain.training_libraries import prepare_libraries
from schemas.printing import print_json


@click.command(cls=ManyFilesCommand, short_help="Measure simple models on the same labels.")
@source_options
@click.option(
    "--bundle",
    type=BundlePath(),
    help="Bundle to measure beside them. Default: MURMUR_MODEL, else the default bundle.",
)
@click.option(
    "--no-bundle",
    is_flag=True,
    help="Measure the baselines alone, for labels that no bundle knows.",
)
@seed_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def baselines(
    *,
    bundle: Path | None,
    no_bundle: bool,
    seed: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure TF-IDF with four classifiers on --test: figures that a transformer must exceed.

    They are fitted on the texts that `murmur model train` would train on with the same options, and
    stand in the same MLflow experiment as the trainings.
    """
    prepare_libraries()
    from rich.markup import escape

    from retrain.baselines.bundles import measure_bundle
    from retrain.baselines.measure_baselines import measure, test_examples, write_down
    from retrain.datasets.display import data_report_table
    from retrain.datasets.prepare_dataset import prepare
    from retrain.tracking import start_run
    from schemas.settings import load_settings
    from schemas.terminal import plain_table, print_whole, terminal_console

    sources = sources_of(options)
    if not sources.test:
        raise click.UsageError("there is nothing to measure on: name --test files")
    prepared = prepare(sources)
    tested = test_examples(sources.test, prepared.labels, sources.cleaning)
    settings = load_settings()
    console = terminal_console(stderr=True)
    started = partial(start_run, settings.retrain_folder, kind="baseline")
    measured = []
    if not no_bundle:
        folder = bundle or settings.model
        ours = measure_bundle(folder, prepared, tested, cleaning=sources.cleaning)
        with started(ours.name).under_way() as run:
            write_down(run, ours, prepared, {"cleaning": sources.cleaning})
        measured.append(ours)
    with console.status("fitting") as status:
        for one in measure(
            prepared,
            tested,
            seed=seed,
            start_run=started,
            cleaning=sources.cleaning,
        ):
            measured.append(one)
            status.update(f"fitted {escape(one.name)}")
    if as_json:
        report = prepared.data_report.as_json()
        print_json({"data": report, "baselines": measured})
        return
    console.print(data_report_table(prepared.data_report))
    numbers = ("macro-recall", "macro-F1", "accuracy", "validation", "fit")
    table = plain_table("model", *numbers, numbers=numbers)
    for one in measured:
        of_test = [f"{one.test[name]:.4f}" for name in ("macro_recall", "macro_f1", "accuracy")]
        fit = "–" if one.fit_s is None else f"{one.fit_s:.0f} s"
        table.add_row(escape(one.name), *of_test, f"{one.validation['macro_recall']:.4f}", fit)
    print_whole(terminal_console(), table)
