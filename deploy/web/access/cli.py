"""`murmur keys`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from deploy.web.access.scopes import Scope
from schemas.printing import confirm, print_json, print_line

if TYPE_CHECKING:
    from schemas.transport.postgres import Connection

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group(short_help="Who may use the HTTP service.")
def keys() -> None:
    """Make, list and revoke the keys of `murmur serve`.

    A key is sent as `Authorization: Bearer KEY`. As long as there is none, the service answers only
    the person at its machine.
    """


@keys.command(short_help="Make a key; it is shown once.")
@click.option("--name", required=True, help="Who or what uses it.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it allows: predict asks the model, read shows tweets and figures, label gives "
    "labels, operate runs the installation. May be repeated.",
)
@_JSON
def create(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key and show it, once: what is stored is a hash of it.

    Running services know it within seconds.
    """
    from deploy.web.access.api_key import make_key
    from deploy.web.access.key_store import list_keys, store_key

    if not name.strip() or not name.isprintable() or len(name) > 100:
        raise click.BadParameter(
            "must be 1 to 100 characters that can be printed", param_hint="--name"
        )
    new = make_key()
    with _database() as connection:
        chosen = [Scope(scope) for scope in dict.fromkeys(scopes)]
        is_first = not any(key.revoked_at is None for key in list_keys(connection))
        key = store_key(connection, new, name.strip(), chosen)
    if as_json:
        print_json({"key": key, "bearer": new.bearer})
        return
    print_line(new.bearer)
    print_line("this is the key: it is shown only now", err=True)
    if is_first:
        print_line(
            "it is the first key: from now on `murmur serve` and its page ask everybody for one, "
            "at this machine too",
            err=True,
        )


@keys.command("list")
@_JSON
def list_(as_json: bool) -> None:
    """Show the keys, the newest first, without their secrets."""
    from deploy.web.access.display import keys_table
    from deploy.web.access.key_store import list_keys
    from schemas.terminal import print_whole, terminal_console

    with _database() as connection:
        found = list_keys(connection)
    if as_json:
        print_json({"keys": found})
    elif found:
        print_whole(terminal_console(), keys_table(found))
    else:
        print_line("there are no keys: only the person at the service's machine may use it")


@keys.command(short_help="Make a key invalid for good.")
@click.argument("named", metavar="ID_OR_NAME")
@click.option("--yes", is_flag=True, help="Do not ask, also where it is the last key.")
@_JSON
def revoke(named: str, yes: bool, as_json: bool) -> None:
    """Make a key invalid for good. Running services know it within seconds.

    Without any key a service on the loopback lets everybody at its machine do everything: before
    the last key is revoked, you are asked.
    """
    from deploy.web.access.key_store import revoke_key, valid_keys
    from schemas.escape_for_terminal import shown

    with _database() as connection:
        valid = [each.key for each in valid_keys(connection)]
        if not yes and len(valid) == 1 and named in (valid[0].key_id, valid[0].name):
            if not sys.stdin.isatty():
                raise click.UsageError(
                    "this is the last key: without any, a service on the loopback lets everybody "
                    "at its machine do everything; add --yes to revoke it all the same"
                )
            confirm(
                "This is the last key. Without any, a service on the loopback lets everybody at "
                "its machine do everything. Revoke it?"
            )
        key = revoke_key(connection, named)
    if as_json:
        print_json({"key": key})
    else:
        print_line(f"the key {key.key_id} of {shown(key.name)} is revoked")


@contextmanager
def _database() -> "Iterator[Connection]":
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    connection = connect_postgres(load_settings().postgres_connection, "keys")
    try:
        yield connection
    finally:
        connection.close()
