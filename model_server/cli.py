"""`murmur predict`: the model asked without any server."""

import sys
from pathlib import Path

import click

from schemas.printing import print_json, print_line


@click.command(short_help="Ask the model for the label of a text.")
@click.argument("texts", nargs=-1)
@click.option(
    "--model",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a bundle. Default: MURMUR_MODEL, else the default bundle.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def predict(texts: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Print the label of each text, with its confidence. No server is needed.

    Without TEXTS, each line of standard input is one. The bundle of this installation answers; a
    promoted one is asked by `murmur serve`.
    """

    from model_server.http.prediction_types import predicted
    from model_server.scorer import load_scorer
    from schemas.escape_for_terminal import shown
    from schemas.settings import load_settings

    asked = list(texts) or [line.rstrip("\n") for line in sys.stdin]
    asked = [text for text in asked if text.strip()]
    if not asked:
        raise click.UsageError("there is no text: murmur predict 'What a lovely evening'")
    scorer = load_scorer(folder or load_settings().model, cache_size=0)
    answers = scorer.predict(asked)
    if as_json:
        document = {
            "predictions": [predicted(answer) for answer in answers],
            "model": scorer.identity,
        }
        print_json(document)
        return
    for text, answer in zip(asked, answers, strict=True):
        print_line(f"{shown(answer.label)} {answer.confidence:.3f}  {shown(text, 100)}")
