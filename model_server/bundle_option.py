"""A bundle as the value of an option: a folder, or the name of one that Murmur ships."""

import os
from pathlib import Path
from typing import Any

import click


class BundlePath(click.Path):
    """Gives the folder of a bundle; refuses a folder that does not exist."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the folder that `value` names."""
        from model_server.bundle import bundle_folder

        return super().convert(bundle_folder(Path(value)), param, ctx)
