"""Which label files a command takes, as its options."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from model_server.cleaning import CLEANING

if TYPE_CHECKING:
    from retrain.datasets.prepare_dataset import Sources

_PATH: Final = click.Path(exists=True, path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option(
        "--labels",
        type=_PATH,
        multiple=True,
        required=True,
        metavar="FILE|DIR…",
        help="Files to learn from: SemEval TSV, CSV or TSV with `text` and `label`, TweetEval "
        "folders, or folders of such files.",
    ),
    click.option(
        "--test",
        type=_PATH,
        multiple=True,
        metavar="FILE|DIR…",
        help="Label files to test on. Training texts equal or near to theirs are left out.",
    ),
    click.option(
        "--validation",
        type=_PATH,
        multiple=True,
        metavar="FILE|DIR…",
        help="Label files to validate on. Default: TweetEval's val, else a part of --labels.",
    ),
    click.option(
        "--split-by",
        type=click.Choice(["auto", "time", "hash"]),
        default="auto",
        show_default=True,
        help="How the validation part is chosen: `time` takes the newest by tweet id, `hash` a "
        "stratified part, `auto` is `time` if 9 of 10 ids contain a time.",
    ),
    click.option(
        "--validation-share",
        type=click.FloatRange(0.01, 0.5),
        show_default="0.1",
        help="Share of --labels that validates.",
    ),
    click.option(
        "--label-names",
        metavar="A,B,…",
        help="The labels, in order. Texts with other labels are left out.",
    ),
    click.option(
        "--cleaning",
        type=click.Choice(list(CLEANING)),
        default=list(CLEANING)[-1],
        show_default=True,
        help="Version of the cleaning of texts. The bundle will use the same.",
    ),
)


def source_options(command: _Command) -> _Command:
    """Add the options that `sources_of` reads, but for `--unlabelled`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def unlabelled_option(command: _Command) -> _Command:
    """Add `--unlabelled`."""
    return click.option(
        "--unlabelled",
        type=_PATH,
        multiple=True,
        metavar="FILE|DIR…",
        help="More texts, without labels: one per line, CSV or TSV with `text`, or any label file.",
    )(command)


def sources_of(options: Mapping[str, Any], *, most_texts: int | None = None) -> "Sources":
    """Take the sources out of a command's options."""
    from retrain.datasets.prepare_dataset import Sources

    return Sources(
        labels=options["labels"],
        validation=options["validation"],
        test=options["test"],
        unlabelled=options.get("unlabelled", ()),
        label_names=listed(options["label_names"]),
        cleaning=options["cleaning"],
        split_by=options["split_by"],
        validation_share=options["validation_share"],
        most_texts=most_texts,
    )


def listed(names: str | None) -> tuple[str, ...] | None:
    """Return the names between commas; None stays None."""
    if names is None:
        return None
    return tuple(name.strip() for name in names.split(",") if name.strip())
