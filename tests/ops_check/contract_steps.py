"""What other people's programs read: the AsyncAPI document, the examples, exported days."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.embedded.kafka_jars import ensure_kafka_jars
from schemas import write_asyncapi
from schemas.topics import SCORED
from tests.ops_check.live_stack import REPLAYED
from tests.ops_check.step import (
    NODE_MODULES,
    REPOSITORY,
    MissingTool,
    Shared,
    Step,
    StepFailed,
    need,
    need_node_package,
    output_of,
)
from tests.stack import MURMUR, process_environment

_EXAMPLES: Final = REPOSITORY / "deploy" / "examples"
_PYTHON_PACKAGES: Final = REPOSITORY / "build" / "ops" / "python"
_MESSAGES: Final = 100

_READ_DAYS: Final = """
import sys
import duckdb, pandas
folder = sys.argv[1]
files = f"{folder}/*/tweets.parquet"
by_label = duckdb.sql(
    f"SELECT label, count(*) FROM read_parquet('{files}', hive_partitioning = true)"
    " GROUP BY label ORDER BY label"
).fetchall()
frame = pandas.concat(pandas.read_parquet(file) for file in sorted(__import__("glob").glob(files)))
counted = sorted(frame.groupby("label").size().items())
assert [tuple(row) for row in by_label] == [(label, int(n)) for label, n in counted], by_label
print(sum(n for _, n in by_label))
"""


def check_asyncapi(_shared: Shared) -> str:
    """The document is what the schemas make, and AsyncAPI's own parser takes it."""
    if write_asyncapi.main(["--check"]):
        raise StepFailed("schemas/asyncapi.yaml is out of date: run `make generated`")
    need_node_package("@asyncapi/parser")
    script = REPOSITORY / "tests" / "ops_check" / "parse_asyncapi.cjs"
    return _node([script, write_asyncapi.kept_file()]).strip()


def check_python_examples(shared: Shared) -> str:
    """Both Python readers find the same results."""
    confluent = _read(shared, [sys.executable, _EXAMPLES / "read_scored_confluent.py"], "py-1")
    aio = _read(shared, [sys.executable, _EXAMPLES / "read_scored_aiokafka.py"], "py-2")
    if not confluent or not aio:
        raise StepFailed("no result was read")
    return f"{len(confluent)} and {len(aio)} results"


def check_java_example(shared: Shared) -> str:
    """The reader with Kafka's own client."""
    java = need("java", "a JDK of 17 or later, as `apt-get install openjdk-17-jdk-headless`")
    need("javac", "a JDK of 17 or later: this is a runtime alone")
    command: list[str | Path] = [
        java,
        "-cp",
        f"{ensure_kafka_jars()}",
        _EXAMPLES / "ReadScored.java",
    ]
    return f"{len(_read(shared, command, 'java'))} results"


def check_node_example(shared: Shared) -> str:
    """The reader with kafkajs."""
    need_node_package("kafkajs")
    script = shared.folder / "node" / "read_scored.mjs"
    script.parent.mkdir(exist_ok=True)
    shutil.copy(_EXAMPLES / "read_scored.mjs", script)
    (script.parent / "node_modules").symlink_to(NODE_MODULES)
    return f"{len(_read(shared, ['node', script], 'node'))} results"


def check_sql_example(shared: Shared) -> str:
    """The query for BI, by the role that may read nothing else."""
    rows = shared.live.sql((_EXAMPLES / "shares_by_hour.sql").read_text(encoding="utf-8"))
    if not rows:
        raise StepFailed("no hour was counted")
    return f"{len(rows)} rows"


def check_exported_days(shared: Shared) -> str:
    """DuckDB and pandas read what `murmur export --by-day` writes, and count the same."""
    folder = shared.folder / "days"
    command: list[str | Path] = [
        MURMUR,
        "export",
        "--run",
        REPLAYED,
        "--by-day",
        folder,
        "--since",
        "2000-01-01",
    ]
    environment = process_environment(shared.live.installation.settings)
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    if not (_PYTHON_PACKAGES / "duckdb").is_dir():
        install = ".venv/bin/uv pip install --target build/ops/python duckdb pandas pyarrow"
        raise MissingTool("duckdb", install)
    path = f"{_PYTHON_PACKAGES}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    tweets = _output([sys.executable, "-c", _READ_DAYS, folder], {"PYTHONPATH": path})
    return f"{tweets.strip()} tweets"


def _read(shared: Shared, command: Sequence[str | Path], group: str) -> set[str]:
    """Return the lines that a reader prints, each `run id label`."""
    settings = shared.live.installation.settings
    arguments = [settings.kafka_connection.servers, settings.names.topic(SCORED)]
    text = _output(
        [*command, *arguments, f"{settings.topic_prefix}example-{group}", str(_MESSAGES)], {}
    )
    lines = {line for line in text.splitlines() if line.startswith(("live ", f"{REPLAYED} "))}
    if any(len(line.split(" ")) != 3 for line in lines) or not lines:
        raise StepFailed(f"{command}: {text[-2000:]}")
    return lines


def _node(arguments: Sequence[str | Path]) -> str:
    return _output(["node", *arguments], {"NODE_PATH": str(NODE_MODULES)})


def _output(command: Sequence[str | Path], environment: dict[str, str]) -> str:
    return output_of(["env", *(f"{name}={value}" for name, value in environment.items()), *command])


STEPS: Final = (
    Step("AsyncAPI document (@asyncapi/parser)", check_asyncapi),
    Step("example readers in Python", check_python_examples),
    Step("example reader in Java", check_java_example),
    Step("example reader in Node", check_node_example),
    Step("example query in SQL, as murmur_read", check_sql_example),
    Step("exported days (DuckDB, pandas)", check_exported_days),
)
