"""`murmur gaps list | refill`."""

from typing import TYPE_CHECKING

import click

from schemas.printing import print_json, print_line

if TYPE_CHECKING:
    from producers.gaps.table import GapTable
    from schemas.settings import Settings

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group(short_help="Times without a connection to X.")
def gaps() -> None:
    """Times without a connection to X: show them, and fetch what was missed."""


@gaps.command(name="list")
@_as_json
def list_(as_json: bool) -> None:
    """Show every time without a connection and what became of it."""
    from rich.markup import escape

    from schemas.settings import load_settings
    from schemas.terminal import plain_table, print_whole, terminal_console

    table = _table(load_settings())
    try:
        known = table.all()
    finally:
        table.close()
    if as_json:
        print_json({"gaps": known})
        return
    if not known:
        print_line("there are no gaps")
        return
    copied = ("from", "to", "reason", "status")
    numbers = ("gap", "posts refilled")
    shown = plain_table("gap", *copied, "posts refilled", "detail", numbers=numbers, whole=copied)
    for gap in known:
        to_at = "ongoing" if gap.to_at is None else f"{gap.to_at:%Y-%m-%d %H:%M:%S}"
        shown.add_row(
            str(gap.gap_id),
            f"{gap.from_at:%Y-%m-%d %H:%M:%S}",
            to_at,
            gap.reason,
            gap.status,
            f"{gap.posts_refilled:,}",
            escape(gap.detail),
        )
    print_whole(terminal_console(), shown)


@gaps.command(short_help="Fetch what was missed by X's recent search.")
@click.argument("gap_ids", nargs=-1, type=int, metavar="[GAP]...")
@_as_json
def refill(gap_ids: tuple[int, ...], as_json: bool) -> int:
    """Fetch what was missed by X's recent search, which reaches seven days back.

    Without GAP, all open gaps are refilled. X charges for the posts that are read. Exits 1 if a
    gap stays open; run the same command again to continue.
    """
    from producers.gaps.run_refill import refill_gaps
    from schemas.process.exit_codes import ExitCode
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings

    settings = load_settings()
    configure_logging(settings.command_log, "gaps")
    done = refill_gaps(settings, _table(settings), gap_ids)
    if as_json:
        print_json({"gaps": done})
    else:
        for gap in done:
            detail = f" ({gap.detail})" if gap.detail else ""
            print_line(f"gap {gap.gap_id}: {gap.status}, {gap.posts:,} posts{detail}")
        if not done:
            print_line("there are no open gaps")
    return ExitCode.FAILED if any(gap.status == "open" for gap in done) else ExitCode.DONE


def _table(settings: "Settings") -> "GapTable":
    from functools import partial

    from producers.gaps.table import GapTable
    from schemas.transport.postgres import connect_postgres

    return GapTable(partial(connect_postgres, settings.postgres_connection, "gaps"))
