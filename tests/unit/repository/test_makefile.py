"""The Makefile makes no environment that could not work."""

import shlex
import subprocess
import sys
from pathlib import Path


def test_a_python_that_is_too_old_is_named_and_leaves_no_environment(
    repository: Path, tmp_path: Path
) -> None:
    python = tmp_path / "python3.10"
    # It answers `-c CODE` as 3.10 would, and makes no environment: `-m venv` fails.
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exec {shlex.quote(sys.executable)} -c "import sys\n'
        'sys.version_info = (3, 10, 12)\n$2"\n'
    )
    python.chmod(0o755)
    venv = tmp_path / "venv"
    answer = subprocess.run(
        ["make", f"VENV={venv}", f"PYTHON={python}", f"{venv}/bin/uv"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode != 0
    needed, *_ = answer.stderr.splitlines()
    assert needed.startswith(f"Murmur needs Python 3.11, 3.12 or 3.13; {python} is 3.10")
    assert not venv.exists()
