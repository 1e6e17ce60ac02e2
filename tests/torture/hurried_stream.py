"""`murmur stream` in a hurry: what it waits for takes a hundredth, at most a third of a second."""

import sys
import threading
from pathlib import Path

from producers.live.run_stream import run_stream
from producers.x_connection.clock import SystemClock
from schemas.process.logs import configure_logging
from schemas.settings import load_settings

SILENCE_S = 2.0
QUIET_S = 3.0


class HurriedClock(SystemClock):
    """The machine's time; waiting is short."""

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait a hundredth of the time."""
        return stop.wait(min(seconds / 100, 0.33))


def main() -> None:
    """Stream into the folder that is named until stopped."""
    # The settings' own bounds are those of X; the fake's faults shall not take so long.
    settings = load_settings(None).model_copy(
        update={"x_silence_s": SILENCE_S, "x_quiet_s": QUIET_S}
    )
    configure_logging(settings.log, "stream")
    run_stream(
        settings,
        capture=Path(sys.argv[1]),
        probe_port=0,
        clock=HurriedClock(),
    )


if __name__ == "__main__":
    main()
