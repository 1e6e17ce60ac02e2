"""`murmur model log` and `murmur model fetch`."""

from pathlib import Path

import click

from model_server.bundle_option import BundlePath
from retrain.training_libraries import prepare_libraries
from schemas.printing import print_json, print_line


@click.command()
@click.argument("bundle", type=BundlePath())
@click.option("--name", help="Name in the registry. Default: the bundle's own name.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    default=["challenger"],
    show_default=True,
    help="Alias that this version gets; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def log(bundle: Path, name: str | None, aliases: tuple[str, ...], as_json: bool) -> None:
    """Put a bundle into MLflow's registry as a new version.

    The registry is where MLFLOW_TRACKING_URI says, else a file of MURMUR_HOME.
    """
    prepare_libraries()
    from retrain.registry.bundles import log_bundle
    from schemas.settings import load_settings

    try:
        registered = log_bundle(
            load_settings().retrain_folder, bundle, name=name, aliases=list(aliases)
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--name, --alias") from error
    if as_json:
        print_json(registered)
    else:
        print_line(
            f"{registered.name} version {registered.registry_version} "
            f"is now {', '.join(registered.aliases) or 'without an alias'}"
        )


@click.command()
@click.argument("reference", metavar="NAME@ALIAS")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder to create; it must not exist.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fetch(reference: str, out: Path, as_json: bool) -> None:
    """Fetch a bundle from MLflow's registry and check its hashes."""
    prepare_libraries()
    from retrain.registry.bundles import fetch_bundle, parse_reference
    from schemas.settings import load_settings

    try:
        name, alias = parse_reference(reference)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME@ALIAS") from error
    fetched = fetch_bundle(load_settings().retrain_folder, name, alias, out.absolute())
    if as_json:
        print_json(fetched)
    else:
        print_line(f"{fetched.name} version {fetched.registry_version} in {fetched.folder}")
