"""`python -m tests.torture --minutes N --seed S`: one JSON summary, exit 1 on any mismatch."""

import os
import sys
from pathlib import Path

import click
import msgspec

from tests.torture.torture import torture


@click.command()
@click.option("--minutes", default=20.0, show_default=True, help="How long faults are made.")
@click.option("--seed", default=1, show_default=True, help="Repeats a plan.")
@click.option("--tweets", type=int, help="Different tweets; 100 a second, and at least 30,000.")
@click.option("--logs", type=click.Path(path_type=Path), help="Where the stack's logs are kept.")
def main(minutes: float, seed: int, tweets: int | None, logs: Path | None) -> None:
    """Torture a stack of its own: kill, stop, slow down and fill; then compare everything."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        del os.environ[variable]
    summary = torture(
        seed=seed,
        minutes=minutes,
        tweets=tweets or max(30_000, int(100 * 60 * minutes)),
        logs=logs,
        say=lambda line: click.echo(line, err=True),
    )
    click.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    main()
