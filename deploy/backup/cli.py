"""`murmur backup` and `murmur restore`."""

from pathlib import Path

import click

from schemas.printing import print_json, print_line

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command(short_help="Write tables, models and settings into one file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.tar")
@_AS_JSON
def backup(file: Path, as_json: bool) -> None:
    """Write tables, promoted models and settings without secrets into one file.

    Workers may run meanwhile. Only its owner may read the file: it holds tweets. What topics hold
    is not in it. On servers of your own, use their own backup: deploy/backup/README.md says how.
    """
    from deploy.backup.backing_up import make_backup
    from schemas.process.stop_signals import exit_on_termination
    from schemas.settings import load_settings

    exit_on_termination()
    manifest = make_backup(load_settings(), file)
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size, "manifest": manifest})
    else:
        print_line(f"{file}: {file.stat().st_size:,} bytes, {len(manifest.files)} files")


@click.command(short_help="Fill an empty installation from a backup.")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.tar"
)
@_AS_JSON
def restore(file: Path, as_json: bool) -> None:
    """Fill an empty installation from a backup; refuse one that holds runs.

    First `murmur up --servers-only`, afterwards `murmur up`. The sink then reads again what topics
    hold beyond the backup; nothing counts twice. Run `murmur compliance run` then: tweets that were
    deleted since the backup may be back. Settings are not changed: those of the backup are
    put beside them, as restored-settings.env.
    """
    from deploy.backup.backing_up import restore_backup
    from schemas.process.stop_signals import exit_on_termination
    from schemas.settings import load_settings

    exit_on_termination()
    settings = load_settings()
    manifest, made = restore_backup(settings, file)
    if as_json:
        print_json({"manifest": manifest, "installed": made})
        return
    print_line(f"restored what was backed up at {manifest.made_at:%Y-%m-%d %H:%M} UTC")
    for name in made.applied_migrations:
        print_line(f"applied migration {name}")
    print_line(
        "X may have deleted tweets since: when the workers run, run `murmur compliance run`; "
        "deploy/backup/README.md says what else a restore takes back"
    )
    print_line(f"its settings are in {settings.home / 'restored-settings.env'}: compare them")
