"""`python -m tests.walk`: the functions that a tweet's text goes through, on servers of its own."""

import os
import tempfile
from pathlib import Path

import click

from tests.stack import is_named_server, isolated, migrated_template, running_servers
from tests.walk.page import PAGE, page_of
from tests.walk.walks import walks


@click.command()
@click.option("--write", is_flag=True, help=f"Write {PAGE.name} instead of printing it.")
def main(write: bool) -> None:
    """Trace one archived and one live tweet. Takes about a minute."""
    for variable in [name for name in os.environ if name.startswith("MURMUR_")]:
        if not is_named_server(variable):
            del os.environ[variable]
    with (
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
        tempfile.TemporaryDirectory() as folder,
    ):
        page = page_of(walks(settings, Path(folder)))
    if write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        click.echo(page, nl=False)


if __name__ == "__main__":
    main()
