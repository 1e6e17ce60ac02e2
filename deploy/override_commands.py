"""`murmur overrides`: checked in `model_server`, applied to rows in `stream_processors`."""

import click

from model_server.overrides.cli import check
from stream_processors.overriding.cli import apply, figures


@click.group(short_help="Words that mean something else to your team than to the model.")
def overrides() -> None:
    """Words that mean something else to your team than to the model: a file, and what it changes.

    The file is a list in YAML; model_server/overrides/README.md has an example. Scoring and the
    service apply the one that MURMUR_OVERRIDES names, a changed one within seconds.
    """


for command in (check, apply, figures):
    overrides.add_command(command)
