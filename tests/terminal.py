"""A command in a real terminal (a pty): keys go in, and the screen comes out."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LIMIT_S: Final = 30

_OWN_TERMINAL: Final = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the controlling one, so that a new size becomes a signal."""


class TerminalProcess:
    """A process whose standard input and output are a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], controller: int) -> None:
        self.process = process
        self._controller = controller
        self._screen = ""

    def press(self, keys: str) -> None:
        """Type keys, all at once."""
        os.write(self._controller, keys.encode())

    def wait_for(self, text: str) -> str:
        """Wait until something is shown, and return all that was shown up to its end."""
        deadline = time.monotonic() + _LIMIT_S
        while text not in self._screen:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} in {self._screen!r}"
            if select.select([self._controller], [], [], left)[0]:
                self._screen += self._read()
        end = self._screen.index(text) + len(text)
        shown, self._screen = self._screen[:end], self._screen[end:]
        return shown

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size, as a window does."""
        fcntl.ioctl(self._controller, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def kill(self) -> None:
        """End it as a machine would that loses its power."""
        self.process.kill()
        self.process.wait(timeout=_LIMIT_S)

    def wait(self) -> int:
        """Wait for its end, reading what it still shows; return the exit code."""
        deadline = time.monotonic() + _LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self._screen
            if select.select([self._controller], [], [], 0.1)[0]:
                self._screen += self._read()
        return int(self.process.returncode)

    def echoes(self) -> bool:
        """Tell whether the terminal shows what is typed, as it does for a shell."""
        local_modes = termios.tcgetattr(self._controller)[3]
        return bool(local_modes & termios.ECHO) and bool(local_modes & termios.ICANON)

    def _read(self) -> str:
        try:
            return os.read(self._controller, 65_536).decode(errors="replace")
        except OSError:
            # Linux says so where the other side has closed.
            return ""


@contextmanager
def in_terminal(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    rows: int = 30,
    columns: int = 100,
) -> Iterator[TerminalProcess]:
    """Run a command in a terminal of its own; kill it if it is still there at the end."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    bare = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_TERMINAL, *command],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**bare, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(terminal)
    try:
        yield TerminalProcess(process, controller)
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=_LIMIT_S)
        os.close(controller)
