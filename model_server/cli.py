"""`murmur predict` and `murmur explain`: the model asked without any server."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from model_server.bundle_option import BundlePath
from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from model_server.scorer import Scorer
    from schemas.settings import Settings

_CONNECT_S: Final = 2
_MODEL = click.option(
    "--model",
    "folder",
    type=BundlePath(),
    help="Folder of a bundle, `default` or `fast`. Default: MURMUR_MODEL, else the promoted model, "
    "else the default bundle.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command(short_help="Ask the model for the label of a text.")
@click.argument("texts", nargs=-1)
@_MODEL
@_JSON
def predict(texts: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Print the label of each text, with its confidence. No server is needed.

    Without TEXTS, each line of standard input is one. The model that was promoted last answers, or
    the one that Murmur ships; standard error says which.
    """

    from model_server.http.prediction_types import predicted
    from model_server.onnx_engine import UnscorableTexts
    from model_server.overrides.apply_override import override_predictions
    from model_server.overrides.override_file import usable_overrides
    from schemas.escape_for_terminal import shown
    from schemas.failures import Failure
    from schemas.settings import load_settings

    asked = list(texts) or [line.rstrip("\n") for line in sys.stdin]
    asked = [text for text in asked if text.strip()]
    if not asked:
        raise click.UsageError("there is no text: murmur predict 'What a lovely evening'")
    settings = load_settings()
    scorer = _asked(settings, folder)
    try:
        answers = scorer.predict(asked)
    except UnscorableTexts as refused:
        raise Failure(f"a text cannot be scored: {refused}") from None
    overridden = override_predictions(
        usable_overrides(settings.overrides, scorer.labels), asked, answers
    )
    if as_json:
        document = {
            "predictions": [
                predicted(answer, overridden=counting)
                for answer, counting in zip(answers, overridden, strict=True)
            ],
            "model": scorer.identity,
        }
        print_json(document)
        return
    for text, (label, confidence, override) in zip(asked, overridden, strict=True):
        own = f"  (by {override.name}; the model: {shown(override.label)})" if override else ""
        print_line(f"{shown(label)} {confidence:.3f}  {shown(text, 100)}{own}")


@click.command(short_help="Show which words of a text made the model answer as it did.")
@click.argument("text", required=False)
@click.option("--tweet", "tweet_id", metavar="ID", help="Explain this stored tweet instead.")
@click.option("--run", help="Run of the tweet. Default: the one that changed last.")
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
def explain(
    text: str | None,
    tweet_id: str | None,
    run: str | None,
    method: str,
    label: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Print the weight of each word of TEXT in its label. No server is needed.

    The model that was promoted last is asked, or the one that Murmur ships; standard error says
    which. A word in green speaks for the label, a word in red against it. The same text gets the
    same weights each time.
    """

    from model_server.explaining.display import explanation_parts
    from model_server.explaining.explain import Method, UnknownLabel, probabilities_of
    from model_server.explaining.explain import explain as explain_text
    from model_server.http.explanation_types import explain_response
    from model_server.onnx_engine import UnscorableTexts
    from schemas.failures import Failure
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console

    if (text is None) == (tweet_id is None) or (run is not None and tweet_id is None):
        raise click.UsageError("name one thing: a text, or --tweet (with --run)")
    settings = load_settings()
    if tweet_id is not None:
        text = _stored(settings, tweet_id, run)
    if text is None or not text.strip():
        raise click.UsageError("there is no text: murmur explain 'What a lovely evening'")
    scorer = _asked(settings, folder)
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


def _asked(settings: "Settings", folder: Path | None) -> "Scorer":
    from model_server.asked_model import asked_scorer
    from schemas.transport.postgres import connect_postgres

    scorer, sentence = asked_scorer(
        settings.model_choice,
        folder,
        lambda: connect_postgres(settings.postgres_connection, "predict", timeout_s=_CONNECT_S),
        cache_size=0,
    )
    print_line(sentence, err=True)
    return scorer


def _stored(settings: "Settings", tweet_id: str, run: str | None) -> str:
    from contextlib import closing

    from model_server.explaining.stored_text import stored_text
    from schemas.transport.postgres import connect_postgres

    with closing(connect_postgres(settings.postgres_connection, "explain")) as connection:
        return stored_text(connection, tweet_id, run)
