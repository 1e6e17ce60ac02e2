"""`murmur status` for people."""

from rich.markup import escape
from rich.table import Table

from deploy.embedded.status import Status
from schemas.terminal import terminal_console


def print_status(status: Status) -> None:
    """Print a status to standard output; addresses stand on lines of their own, to be copied."""
    console = terminal_console()
    if not status.running and not status.processes:
        what = "the servers are your own" if status.needs_no_stack else "start it with `murmur up`"
        console.print(f"No stack runs in {escape(status.home)}: {what}.")
    for name, address in status.addresses.items():
        whose = "  (yours)" if name in status.named_by_you else ""
        console.print(f"{name:<9} {escape(address)}{whose}", soft_wrap=True)
    if status.processes:
        console.print()
        console.print(_processes(status))
    if status.lag_fault:
        console.print(f"lag unknown: {escape(status.lag_fault)}")
    for group in status.lag or ():
        console.print(f"{escape(group.group)} has {group.lag:,} to do in {escape(group.topic)}")


def _processes(status: Status) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "pid", "up for", "probe"):
        table.add_column(title, justify="right" if title in ("pid", "up for") else "left")
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
