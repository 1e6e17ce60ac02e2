"""`make api-examples`: Schemathesis sends made-up requests to every call of a running service.

It reads the OpenAPI document, and holds each answer against it: no 5xx, no status, type or content
that the document does not name. Streams of events do not end, so they are left out.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from schemas.transport.postgres import connect_postgres
from tests.integration.reading import some_tweets
from tests.integration.serving import serving
from tests.integration.storing import store
from tests.stack import migrated_template, own_database, running_servers

_TOOL: Final = "schemathesis==4.32.5"
_CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers.openapi_examples")
    parser.add_argument("--examples", type=int, default=100, help="of each call and phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tool", type=Path, help="the program `st`, where it is installed")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tool = chosen.tool or _installed(folder / "tool")
        with (
            running_servers() as stack,
            migrated_template(stack) as template,
            own_database(stack, template) as settings,
        ):
            with closing(connect_postgres(settings.postgres_connection, "test")) as connection:
                store(connection, some_tweets(40))
            changes: dict[str, Any] = {
                "serve_rate": "",
                "serve_log_days": 1,
                "retrain_run": "archive",
            }
            with serving(settings, folder / "serve", **changes) as service:
                options = [
                    f"{service.address}/openapi.json",
                    "--exclude-path=/events",
                    "--phases=examples,coverage,fuzzing",
                    f"--max-examples={chosen.examples}",
                    f"--checks={','.join(_CHECKS)}",
                    "--generation-allow-x00=true",
                    "--generation-database=none",
                    "--continue-on-failure",
                    # A wrong key is made to wait.
                    "--generation-with-security-parameters=false",
                    "--request-timeout=60",
                    f"--seed={chosen.seed}",
                    "--no-color",
                ]
                return subprocess.run([tool, "run", *options], check=False, cwd=folder).returncode


def _installed(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", _TOOL], check=True)
    return folder / "bin" / "st"


if __name__ == "__main__":
    sys.exit(main())
