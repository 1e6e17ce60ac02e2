"""`murmur init`."""

from typing import TYPE_CHECKING

import click

from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from deploy.installation.installing import InstallationReport


@click.command(short_help="Make or check topics and tables.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if something is missing.")
@click.option(
    "--alter",
    is_flag=True,
    help="Also change existing topics to the configuration and partitions of the settings. More "
    "partitions move keys: do it while nothing is in flight.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def init(check: bool, alter: bool, as_json: bool) -> int:
    """Make or check topics and tables, on the embedded stack or on your own servers."""
    import msgspec

    from deploy.installation.installing import check_installation, install
    from schemas.process.exit_codes import ExitCode
    from schemas.settings import load_settings

    if check and alter:
        raise click.UsageError("--check and --alter exclude each other: --check changes nothing")
    wanted = load_settings().installation
    report = check_installation(wanted) if check else install(wanted, alter=alter)
    if as_json:
        document = {**msgspec.to_builtins(report), "complete": report.complete}
        print_json(document)
    else:
        for line in _lines(report):
            print_line(line)
    return ExitCode.FAILED if check and not report.complete else ExitCode.DONE


def _lines(report: "InstallationReport") -> list[str]:
    lines = [
        *(f"missing topic: {name}" for name in report.missing_topics),
        *(f"missing migration: {name}" for name in report.missing_migrations),
        *(f"made topic {name}" for name in report.made_topics),
        *(f"applied migration {name}" for name in report.applied_migrations),
        *(f"untold: {sentence}; `murmur init` tells it again" for sentence in report.untold),
        *(["told Kafka which model and decisions are in use"] if report.told_again else ()),
        *(f"wrong: {sentence}" for sentence in report.wrong),
        *(f"differs: {sentence}" for sentence in report.differing),
    ]
    if report.differing or report.wrong:
        lines.append("`murmur init --alter` changes existing topics.")
    return lines or ["Topics and tables are complete."]
