"""`murmur decisions`: fitted in `retrain`, applied to stored tweets in `stream_processors`."""

import click

from retrain.decisions.cli import drop, fit, list_decisions, show, use
from stream_processors.redeciding.cli import apply


@click.group(short_help="Choose labels so that their shares are those that people would count.")
def decisions() -> None:
    """Fit decisions on people's labels, use them, and apply them to stored tweets.

    A decision is one bias for each label, added to the model's log probabilities. It is fitted on
    at least 50 audits of a run and decides that run's tweets alone.
    """


for command in (fit, use, apply, list_decisions, show, drop):
    decisions.add_command(command)
