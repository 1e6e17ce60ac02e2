"""`murmur model`: puts together the commands of this room, each in a file of its own."""

import click

from retrain.baselines.cli import baselines
from retrain.evaluation.cli import evaluate
from retrain.export.cli import export
from retrain.export.reference_cli import reference
from retrain.pretraining.cli import pretrain
from retrain.registry.cli import fetch, log
from retrain.training.cli import train
from retrain.tuning.cli import tune


@click.group()
def model() -> None:
    """Train, measure and export models of your own."""


model.add_command(pretrain)
model.add_command(train)
model.add_command(tune)
model.add_command(baselines)
model.add_command(export)
model.add_command(reference)
model.add_command(evaluate)
model.add_command(log)
model.add_command(fetch)
