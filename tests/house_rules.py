"""House rules that no linter knows. `python -m tests.house_rules` names what breaks them."""

import posixpath
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas import locks
from schemas.process.process_list import PROCESSES
from schemas.write_env_example import env_example

ROOMS = ("schemas", "model_server", "producers", "stream_processors", "retrain", "deploy", "tests")
MAX_README_LINES = 70
MAX_PROSE_CHARS = 500
CODE_FILE = re.compile(r"`([\w./-]+\.(?:py|lark))`")
NAMES_THAT_ANSWER_NO_QUESTION = re.compile(
    r"(^|/)(utils?|helpers?|common|misc|manager|base)(\.py|/)"
)
OF_ONE_MACHINE = re.compile(
    r"/(work|root|home)/\w|pypi\.(org|python)|pythonhosted\.|maven\.(org|apache)"
)
FORMATTED_BY_HAND = re.compile(r"#\s*f[m]t: (skip|off)")
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b")
CONSOLE = re.compile(r"(?<![\w.])Console\(")
CLICK_PRINTS = re.compile(
    r"\bclick\.(echo|secho|confirm|prompt)\(|sys\.stdout\.buffer\.write\(msgspec"
)
SLEEP = re.compile(r"\b(time|asyncio)\.sleep\(")
ALL_SETTINGS = re.compile(r"from schemas\.settings import .*\b(Settings|load_settings)\b")
MAY_TAKE_ALL_SETTINGS = frozenset(
    {
        # They are about the settings themselves, or about servers that no setting names.
        "schemas/write_env_example.py",
        "schemas/misspelt_settings.py",
        "deploy/installation/server_faults.py",
        "deploy/doctor/examine.py",
        "deploy/backup/backing_up.py",
        "deploy/embedded/worker_settings.py",
        # They put a command or a process together, and hand each part the few that it uses.
        "deploy/demo/demo.py",
        "deploy/demo/full/full_demo.py",
        "deploy/demo/full/own_installation.py",
        "deploy/embedded/stack.py",
        "deploy/embedded/status.py",
        "producers/compliance/run_compliance_jobs.py",
        "producers/compliance/run_compliance_stream.py",
        "producers/gaps/run_refill.py",
        "producers/live/run_stream.py",
        "producers/replay/run_replay.py",
        "retrain/drift/watch/watch_worker.py",
        "stream_processors/scoring/score_worker.py",
        "stream_processors/sink/sink_worker.py",
        "retrain/jobs/do_job.py",
        "retrain/jobs/watch_retraining.py",
        "deploy/web/serve.py",
        "deploy/web/operations.py",
        # Parts: strike them from this list once they take what they use.
        "producers/x_account/http_adapter.py",
        "stream_processors/aggregates/refresher.py",
        "stream_processors/retention/run_deletion.py",
    }
)
"""Besides every `cli.py`. Other files import from `schemas/setting_views.py`."""


@dataclass(frozen=True)
class OnlyIn:
    """What is written in one place alone: a list, and whoever needs it reads the list."""

    pattern: re.Pattern[str]
    home: str
    what: str


def _numbers(numbers: Iterable[int]) -> str:
    digits = (f"{number:_}".replace("_", "_?") for number in sorted(numbers))
    return rf"\b({'|'.join(digits)})\b"


ONE_LIST_EACH = (
    OnlyIn(
        re.compile(_numbers(process.probe_port for process in PROCESSES)),
        "schemas/process/process_list.py",
        "a probe port",
    ),
    OnlyIn(
        re.compile(
            rf"{_numbers(v for v in vars(locks).values() if isinstance(v, int))}"
            r"|pg_(try_)?advisory\w*lock\w*\(\s*\d"
        ),
        "schemas/locks.py",
        "the number of an advisory lock",
    ),
    OnlyIn(
        re.compile(r"prometheus_client.*import.*\b(Counter|Gauge|Histogram|Summary|Info|Enum)\b"),
        "schemas/process/",
        "a metric",
    ),
    OnlyIn(
        re.compile(r"\"tweets\", \"scores\"|\"rollups\", \"hashtag_rollups\""),
        "schemas/partitioned_tables.py",
        "the names of partitioned tables",
    ),
    OnlyIn(
        re.compile(r"(INTO|FROM|UPDATE|JOIN) posts_read\b"),
        "producers/x_account/posts_read_sql.py",
        "the SQL of posts read",
    ),
)
"""Tests say in words of their own what they expect."""


def tracked_files(root: Path) -> list[str]:
    """Return the files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)
    return sorted(name for name in listed.stdout.splitlines() if (root / name).is_file())


def broken_rules(root: Path) -> Iterator[str]:
    """Yield a line for everything that breaks a rule."""
    files = tracked_files(root)
    yield from _of_readmes(root)
    for name in files:
        if NAMES_THAT_ANSWER_NO_QUESTION.search(name):
            yield f"{name}: the name answers no question"
        if name.endswith((".py", ".md", ".toml", ".yml", ".yaml", ".sql", ".txt")):
            text = (root / name).read_text(encoding="utf-8")
            yield from _of_text(name, text)
            yield from _of_markdown(name, text, files)
    if (root / ".env.example").read_text(encoding="utf-8") != env_example():
        yield ".env.example is out of date: run `make generated`"
    for lock in (root / "requirements").glob("*.txt"):
        if re.search(r"^--|https?://", lock.read_text(encoding="utf-8"), re.MULTILINE):
            yield f"{lock.name} names an index or an address"


def _of_readmes(root: Path) -> Iterator[str]:
    for room in ROOMS:
        readme = root / room / "README.md"
        if not readme.is_file():
            yield f"{room}/README.md is missing"
        elif len(readme.read_text(encoding="utf-8").splitlines()) > MAX_README_LINES:
            yield f"{room}/README.md is longer than a page of {MAX_README_LINES} lines"
    front_page = (root / "README.md").read_text(encoding="utf-8")
    for process in PROCESSES:
        if str(process.probe_port) not in front_page:
            yield f"README.md does not say where the probes of {process.name} are"


def _of_text(name: str, text: str) -> Iterator[str]:
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if OF_ONE_MACHINE.search(line) and name != "tests/house_rules.py":
            yield f"{name}:{number} speaks of one machine or names a registry's host"
        if name.endswith(".py") and UNFINISHED.search(line):
            yield f"{name}:{number} is unfinished"
        if name.endswith(".py") and FORMATTED_BY_HAND.search(line):
            yield f"{name}:{number} switches the formatter off"
        if name.endswith(".py") and CONSOLE.search(line) and not _may_make_consoles(name):
            yield f"{name}:{number} makes a console of its own: take `terminal_console`"
        if name.startswith("tests/") and name != "tests/conditions.py" and SLEEP.search(line):
            yield f"{name}:{number} sleeps for luck: wait for a condition"
        if name.endswith(".py") and not name.startswith("tests/"):
            yield from _of_lists(name, number, line)
    yield from all_settings(name, text)
    yield from prints_unescaped(name, text)


def all_settings(name: str, text: str) -> Iterator[str]:
    """Yield a sentence where a file takes all settings and may not, or may and does not."""
    if not name.endswith(".py") or name.startswith("tests/") or name.endswith("/cli.py"):
        return
    takes_all, may = ALL_SETTINGS.search(text), name in MAY_TAKE_ALL_SETTINGS
    if takes_all and not may:
        yield f"{name} takes all settings: take what it uses, from schemas/setting_views.py"
    elif may and not takes_all:
        yield f"{name} takes no longer all settings: strike it from MAY_TAKE_ALL_SETTINGS"


def prints_unescaped(name: str, text: str) -> Iterator[str]:
    """Yield a sentence for each line that prints what a terminal would obey."""
    if not name.endswith(".py") or name == "schemas/printing.py" or name.startswith("tests/"):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if CLICK_PRINTS.search(line):
            yield f"{name}:{number} prints what a terminal would obey: use schemas/printing.py"


def _of_lists(name: str, number: int, line: str) -> Iterator[str]:
    for only in ONE_LIST_EACH:
        if only.pattern.search(line) and not name.startswith(only.home):
            yield f"{name}:{number} names {only.what}: take it from {only.home}"


def _of_markdown(name: str, text: str, files: Collection[str]) -> Iterator[str]:
    if name.endswith(".md"):
        yield from long_prose(name, text)
    if name.endswith("README.md"):
        yield from missing_files(name, text, files)


def long_prose(name: str, text: str) -> Iterator[str]:
    """Yield a sentence for each line of prose that is too long; tables and code may be wide."""
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.lstrip().startswith("|") and len(line) > MAX_PROSE_CHARS:
            yield f"{name}:{number} has over {MAX_PROSE_CHARS} characters of prose: break it up"


def missing_files(name: str, text: str, files: Collection[str]) -> Iterator[str]:
    """Yield each file of code that a README names and that is neither below it nor at its path."""
    folder = posixpath.dirname(name)
    for number, line in enumerate(text.splitlines(), start=1):
        for named in CODE_FILE.findall(line):
            if (
                named not in files
                and posixpath.normpath(posixpath.join(folder, named)) not in files
            ):
                yield f"{name}:{number} names {named}, which is not there"


def _may_make_consoles(name: str) -> bool:
    return name == "schemas/terminal.py" or name.startswith("tests/")


def main() -> int:
    """Print what breaks the rules; return the exit code."""
    broken = list(broken_rules(Path(__file__).parents[1]))
    for line in broken:
        print(line, file=sys.stderr)  # noqa: T201
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
