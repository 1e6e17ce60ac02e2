"""A process ends with its code, with all that it printed, and without the exit handlers of C."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import atexit, ctypes, logging, sys, threading
from schemas.process.ending import without_exit_handlers_of_c

@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def of_c(_):
    ctypes.CDLL(None).abort()

ctypes.CDLL(None).__cxa_atexit(of_c, None, None)
logging.basicConfig(stream=sys.stderr)
with without_exit_handlers_of_c():
    atexit.register(print, "of Python")
    threading.Thread(target=lambda: (threading.Event().wait(0.2), print("of a thread"))).start()
    print("printed")
    logging.error("logged")
    {end}
"""


def ended(end: str, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    """Run a program whose exit handler of C aborts it."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("end", "code"), [("sys.exit(70)", 70), ("sys.exit()", 0)])
def test_a_process_ends_with_its_code_and_nothing_of_c_runs(end: str, code: int) -> None:
    process = ended(end)
    assert process.returncode == code, process.stderr
    assert process.stdout == "printed\nof a thread\nof Python\n"
    assert "logged" in process.stderr


def test_another_error_ends_a_process_as_always() -> None:
    assert "ZeroDivisionError" in ended("1 / 0").stderr


def test_a_full_disk_is_not_taken_for_success() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert ended("sys.exit(0)", stdout=full.fileno()).returncode != 0
