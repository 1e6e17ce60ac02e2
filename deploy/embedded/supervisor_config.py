"""The supervisor's configuration file, as text."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from deploy.embedded.layout import Layout
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.supervised_program import Program

SUPERVISOR_USER = "murmur"
_PROGRAM = "program:"

_START_RETRIES = 1000
"""The supervisor waits 1 s, 2 s, 3 s … between failed starts and gives up after this many: six
days. A stack that nobody looks at over a long weekend still comes back by itself."""


def supervisor_config(
    layout: Layout,
    programs: Iterable[Program],
    *,
    port: int,
    password: str,
    as_root: bool,
    fingerprint: str,
) -> str:
    """Return the configuration under which the programs are kept up.

    Nothing starts by itself: `stack.up` starts the programs in their order. `fingerprint` stands
    in a comment, so that two configurations are equal only if it is.
    """
    sections = [
        f"; {fingerprint}",
        _section(
            "inet_http_server",
            port=f"{LOOPBACK}:{port}",
            username=SUPERVISOR_USER,
            password=password,
        ),
        _section(
            "supervisord",
            logfile=_text(layout.log_of("supervisord")),
            logfile_maxbytes="1MB",
            logfile_backups="1",
            loglevel="info",
            pidfile=_text(layout.home / "supervisord.pid"),
            childlogdir=_text(layout.logs),
            directory=_text(layout.home),
            umask="077",
            **({"user": "root"} if as_root else {}),
        ),
        _section(
            "rpcinterface:supervisor",
            **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        *(_program_section(layout, program) for program in programs),
    ]
    return "\n".join(sections)


def differing_programs(one: str, other: str) -> frozenset[str] | None:
    """Return the programs that two configurations give differently, or that one of them lacks.

    None where they differ in more than that: then only another supervisor takes the new one in.
    """
    sections = _sections_of(one), _sections_of(other)
    titles = sections[0].keys() | sections[1].keys()
    differing = {title for title in titles if sections[0].get(title) != sections[1].get(title)}
    if not all(title.startswith(_PROGRAM) for title in differing):
        return None
    return frozenset(title.removeprefix(_PROGRAM) for title in differing)


def _sections_of(config: str) -> dict[str, str]:
    """Return the sections by title; what stands before the first has an empty one."""
    before, *sections = config.split("\n[")
    found = {title: body for title, _, body in (each.partition("]\n") for each in sections)}
    return {"": before, **found}


def _program_section(layout: Layout, program: Program) -> str:
    options = {
        "command": _text(shlex.join(program.command)),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": str(program.settled_after_s),
        "startretries": str(_START_RETRIES),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_wait_s),
        # The first signal goes to the process, which ends its children as it sees fit; what is
        # left after the wait is killed as a group.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _text(layout.log_of(program.name)),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
    }
    if program.directory is not None:
        options["directory"] = _text(program.directory)
    if program.user is not None:
        options["user"] = program.user
    if program.environment:
        options["environment"] = ",".join(
            f"{name}={_text(shlex.quote(value))}" for name, value in program.environment.items()
        )
    return _section(f"{_PROGRAM}{program.name}", **options)


def _section(title: str, **options: str) -> str:
    lines = [f"{name} = {value}" for name, value in options.items()]
    return "\n".join([f"[{title}]", *lines, ""])


def _text(value: str | Path) -> str:
    return str(value).replace("%", "%%")
