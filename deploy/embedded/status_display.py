"""`murmur status` for people."""

from rich.markup import escape
from rich.table import Table

from deploy.embedded.served_model import in_short
from deploy.embedded.status import Status
from schemas.terminal import plain_table, print_whole, terminal_console, whole_line


def print_status(status: Status) -> None:
    """Print a status to standard output; addresses stand on lines of their own, to be copied."""
    console = terminal_console()
    if not status.running and not status.processes:
        console.print(
            f"No stack runs in {escape(status.home)}: {_what_then(status)}", soft_wrap=True
        )
    for name, address in status.addresses.items():
        whose = "  (yours)" if name in status.named_by_you else ""
        console.print(f"{name:<9} {escape(address)}{whose}", soft_wrap=True)
    for line in model_lines(status):
        console.print(whole_line(f"model     {line}"))
    if status.processes:
        console.print()
        print_whole(console, _processes(status))
    if status.lag_fault:
        console.print(f"lag unknown: {escape(status.lag_fault)}", soft_wrap=True)
    for fault in status.faults:
        console.print(f"[red]fault[/]     {escape(fault)}", soft_wrap=True)
    for group in status.lag or ():
        console.print(f"{escape(group.group)} has {group.lag:,} to do in {escape(group.topic)}")


def model_lines(status: Status) -> list[str]:
    """Return a line for each model that serves, and one for a model that would serve instead."""
    chosen = status.chosen_model
    lines = [f"{in_short(model)}  {process}" for process, model in status.models.items()]
    if chosen is None:
        return lines
    if not status.models:
        why = "no scoring process answers" if status.processes else "scoring elsewhere is not asked"
        return [f"{in_short(chosen)}  (should serve; {why})"]
    return lines + [
        f"{in_short(chosen)} should serve, but {process} serves {in_short(model)}: a promoted "
        "model takes over with the next tweets, one that MURMUR_MODEL names with `murmur up`"
        for process, model in status.models.items()
        if model != chosen
    ]


def _what_then(status: Status) -> str:
    if status.needs_no_stack:
        return "the servers are your own."
    return (
        "`murmur up` starts one there, an empty one if it never ran there. A stack of another "
        "folder is found from that folder, or if MURMUR_HOME names its .murmur."
    )


def _processes(status: Status) -> Table:
    table = plain_table(
        *("process", "state", "pid", "up for", "probe"),
        numbers=("pid", "up for"),
        whole=("process", "probe"),
    )
    for process in status.processes:
        table.add_row(
            process.name,
            escape(status.readiness.get(process.name, process.state)),
            str(process.pid or ""),
            duration(process.uptime_s) if process.pid else "",
            status.probes.get(process.name, ""),
        )
    return table


def duration(seconds: float) -> str:
    """Return a duration as people say it: the two largest units."""
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days} d {h} h"
    if hours:
        return f"{h} h {m} min"
    return f"{m} min {s} s" if minutes else f"{s} s"
