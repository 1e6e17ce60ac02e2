"""`murmur predict` and `murmur explain`: the model asked without any server."""

import sys
from pathlib import Path

import click

from schemas.printing import print_json, print_line

_MODEL = click.option(
    "--model",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a bundle. Default: MURMUR_MODEL, else the default bundle.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command(short_help="Ask the model for the label of a text.")
@click.argument("texts", nargs=-1)
@_MODEL
@_JSON
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


@click.command(short_help="Show which words of a text made the model answer as it did.")
@click.argument("text")
@click.option(
    "--method",
    # The names of model_server.explaining.explain.Method.
    type=click.Choice(["leave_one_out", "shap", "lime"]),
    default="leave_one_out",
    show_default=True,
    help="leave_one_out: the quickest. shap: weights that sum to the difference which all words "
    "make. lime: a linear model of 256 variants.",
)
@click.option("--label", help="Explain this label. Default: the model's answer.")
@_MODEL
@_JSON
def explain(text: str, method: str, label: str | None, folder: Path | None, as_json: bool) -> None:
    """Print the weight of each word of TEXT in its label. No server is needed.

    A word in green speaks for the label, a word in red against it. The same text gets the same
    weights each time.
    """

    from model_server.explaining.display import explanation_parts
    from model_server.explaining.explain import Method, UnknownLabel, probabilities_of
    from model_server.explaining.explain import explain as explain_text
    from model_server.http.explanation_types import explain_response
    from model_server.onnx_engine import UnscorableTexts
    from model_server.scorer import load_scorer
    from schemas.failures import Failure
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    if not text.strip():
        raise click.UsageError("there is no text: murmur explain 'What a lovely evening'")
    scorer = load_scorer(folder or load_settings().model, cache_size=0)
    try:
        found = explain_text(
            text,
            lambda texts: probabilities_of(scorer.predict(texts)),
            scorer.labels,
            Method(method),
            label,
        )
    except UnscorableTexts as refused:
        raise Failure(f"the text cannot be scored: {refused}") from refused
    except UnknownLabel as unknown:
        raise click.BadParameter(str(unknown), param_hint="--label") from None
    if as_json:
        print_json(explain_response(found, scorer.identity))
        return
    print_whole(terminal_console(), *explanation_parts(text, found))
