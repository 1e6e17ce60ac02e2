"""`murmur doctor`."""

from typing import TYPE_CHECKING, Final

import click

from schemas.printing import print_json, print_line
from schemas.process.process_list import PROCESSES

if TYPE_CHECKING:
    from deploy.doctor.finding import Finding

_MARKS: Final = {"well": "✓", "note": "!", "wrong": "✗"}


@click.command(short_help="Check settings, servers, disk, models and permissions.")
@click.option(
    "--process",
    "processes",
    multiple=True,
    type=click.Choice([process.name for process in PROCESSES]),
    help="Judge by what this process needs, and by no more. May be repeated. Default: a user may "
    "have the rights of one process alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(processes: tuple[str, ...], as_json: bool) -> int:
    """Check all that Murmur needs here, and say what to do where something is wrong.

    It looks at settings, Kafka, PostgreSQL and Redis (reached, trusted, new enough), topics,
    migrations, permissions, certificates, models, disk and clock. It changes nothing. Exits 1 if
    anything is wrong; what is only worth knowing (!) does not count.
    """
    from pydantic import ValidationError

    from deploy.doctor.examine import examine
    from deploy.doctor.finding import wrong
    from schemas.failures import Failure
    from schemas.process.exit_codes import ExitCode
    from schemas.setting_faults import setting_fault
    from schemas.settings import load_settings

    try:
        settings = load_settings()
    except ValidationError as error:
        findings = [
            wrong("settings", setting_fault(fault), "correct the variable, or the line of .env")
            for fault in error.errors()
        ]
    except Failure as failure:
        findings = [wrong("settings", str(failure), "then ask again: nothing else was looked at")]
    else:
        asked = [process for process in PROCESSES if process.name in processes]
        findings = examine(settings, processes=asked)
    is_well = all(finding.state != "wrong" for finding in findings)
    if as_json:
        print_json({"well": is_well, "findings": findings})
    else:
        _print(findings)
    return ExitCode.DONE if is_well else ExitCode.FAILED


def _print(findings: "list[Finding]") -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print_line(f"{_MARKS[finding.state]}  {finding.subject:<{width}}  {finding.found}")
        if finding.advice:
            print_line(f"   {'':<{width}}  → {finding.advice}")
    faults = sum(finding.state == "wrong" for finding in findings)
    print_line("nothing is wrong" if not faults else f"{faults} to mend")
