"""`murmur overrides check`."""

from pathlib import Path

import click

from model_server.bundle_option import BundlePath
from schemas.printing import print_json, print_line


@click.command(short_help="Validate a file and run its tests.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--model",
    "folder",
    type=BundlePath(),
    help="Folder of the bundle whose labels are used. Default: MURMUR_MODEL, else the default "
    "bundle.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(file: Path, folder: Path | None, as_json: bool) -> int:
    """Validate FILE and run the tests in it. Exits 1 where one fails."""
    from model_server.bundle import default_bundle, open_bundle
    from model_server.overrides.override import failed_tests
    from model_server.overrides.override_file import read_overrides
    from schemas.settings import load_settings

    bundle = open_bundle(folder or load_settings().model or default_bundle())
    read = read_overrides(file, bundle.manifest.labels)
    failed = list(failed_tests(read))
    tests = sum(len(each.tests.changes) + len(each.tests.leaves) for each, _ in read.entries)
    if as_json:
        print_json(
            {
                "overrides": len(read.entries),
                "tests": tests,
                "failed": failed,
                "version": read.version,
            }
        )
        return 1 if failed else 0
    for sentence in failed:
        print_line(sentence, err=True)
    print_line(
        f"{len(read.entries):,} overrides, {tests - len(failed):,} of {tests:,} tests pass, "
        f"version {read.version[:12]}"
    )
    return 1 if failed else 0
