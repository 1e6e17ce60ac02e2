"""`murmur rules plan | apply | list`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.printing import print_json

if TYPE_CHECKING:
    from producers.rules.remote_rules import RulesAtX
    from producers.rules.rule_changes import Plan

_file = click.argument(
    "file",
    default="rules.yaml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def rules() -> None:
    """Compare the rules of a file with those at X, and apply them.

    The file (rules.yaml) is a list of rules, each with `value` and `tag`.
    """


@rules.command()
@_file
@_as_json
def plan(file: Path, as_json: bool) -> int:
    """Show what would change; X validates the new rules.

    Changes nothing. Exits 1 on a difference. The summary names the plan, for `apply --plan`.
    """
    from producers.rules.rule_changes import plan_rules
    from producers.rules.rules_file import read_rules

    wanted = read_rules(file)
    at_x = _at_x()
    planned = plan_rules(wanted, at_x.listed())
    at_x.check(planned.added)
    _show(planned, as_json=as_json)
    return 0 if planned.is_empty else 1


@rules.command()
@_file
@click.option(
    "--plan",
    "shown_plan",
    metavar="PLAN",
    help="Apply only this plan, as `rules plan` named it: if the file or the rules at X have "
    "changed since, nothing is done.",
)
@_as_json
def apply(file: Path, shown_plan: str | None, as_json: bool) -> None:
    """Give X the rules of the file. New rules are added before old ones are deleted."""
    from producers.rules.rule_changes import plan_rules, require_plan
    from producers.rules.rules_file import read_rules

    wanted = read_rules(file)
    at_x = _at_x()
    planned = plan_rules(wanted, at_x.listed())
    if shown_plan is not None:
        require_plan(planned, shown_plan)
    at_x.apply(wanted, planned)
    _show(planned, as_json=as_json)


@rules.command(name="list")
@_as_json
def list_(as_json: bool) -> None:
    """Show the rules that X has."""
    from rich.markup import escape

    from schemas.terminal import plain_table, print_whole, terminal_console

    listed = _at_x().listed()
    if as_json:
        print_json({"rules": listed})
        return
    table = plain_table("tag", "value", "id", whole=("tag", "id"))
    for rule in listed:
        table.add_row(escape(rule.tag or ""), escape(rule.value), escape(rule.rule_id))
    print_whole(terminal_console(), table)


def _at_x() -> "RulesAtX":
    from producers.rules.remote_rules import RulesAtX
    from producers.x_account.client import patient, rules_client
    from producers.x_account.http_adapter import x_adapter
    from schemas.settings import load_settings

    return RulesAtX(rules_client(x_adapter(load_settings())), patient())


def _show(planned: "Plan", *, as_json: bool) -> None:
    from rich.markup import escape

    from producers.rules.tag_with_rules import outside_subset
    from schemas.terminal import terminal_console

    retagged = [new for _, new in planned.retagged]
    not_here = outside_subset([*planned.added, *retagged])
    if as_json:
        document = {
            "added": planned.added,
            "deleted": planned.deleted,
            "retagged": retagged,
            "kept": len(planned.kept),
            "plan": planned.fingerprint,
            "not_evaluated_here": not_here,
        }
        print_json(document)
        return
    console = terminal_console(soft_wrap=True)
    for rule in planned.added:
        console.print(f"[green]+ {escape(rule.tag)}[/]: {escape(rule.value)}")
    for old, new in planned.retagged:
        console.print(
            f"[yellow]~ {escape(old.tag or '')} → {escape(new.tag)}[/]: {escape(new.value)}"
        )
    for gone in planned.deleted:
        console.print(f"[red]- {escape(gone.tag or '')}[/]: {escape(gone.value)}")
    console.print(
        f"{len(planned.added)} added, {len(planned.retagged)} with another tag, "
        f"{len(planned.deleted)} deleted, {len(planned.kept)} kept (plan {planned.fingerprint})"
    )
    for tag, fault in not_here.items():
        console.print(
            f"{escape(tag)}: {escape(fault)}; `murmur replay --rules` would refuse the file",
            style="dim",
        )
