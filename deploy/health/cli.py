"""`murmur health`."""

import click

from schemas.printing import print_json, print_line
from schemas.process.process_list import PROCESSES

_NAMES = [process.name for process in PROCESSES]


@click.command(short_help="Ask the processes here how they are; for health checks.")
@click.argument("names", nargs=-1, type=click.Choice(_NAMES), metavar="[PROCESS]…")
@click.option(
    "--ready", is_flag=True, help="Ask whether they can take work, not only whether they live."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def health(names: tuple[str, ...], ready: bool, as_json: bool) -> int:
    """Ask the processes that listen on their usual ports here how they are.

    Without a name all of them are asked, and one has to answer: as the health check of a container
    it needs no argument. With names, each of them has to. Exits 1 where one is not well.
    """
    from deploy.health.ask_probes import ask_probes
    from schemas.process.exit_codes import ExitCode

    asked = [process for process in PROCESSES if not names or process.name in names]
    answers = ask_probes(asked, "readyz" if ready else "healthz")
    silent = set(names) - {answer.process for answer in answers}
    if as_json:
        print_json({"answers": answers, "silent": sorted(silent)})
    else:
        for answer in answers:
            print_line(f"{answer.process}: {answer.detail}")
        for name in sorted(silent):
            print_line(f"{name}: does not listen here")
        if not answers and not silent:
            print_line("no process listens here")
    well = bool(answers) and not silent and all(answer.ok for answer in answers)
    return ExitCode.DONE if well else ExitCode.FAILED
