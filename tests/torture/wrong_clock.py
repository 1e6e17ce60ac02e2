"""A `murmur` process whose clock is off: `python -m tests.torture.wrong_clock DAYS COMMAND …`.

Python's clocks are off; Kafka's client in C keeps the machine's, as its monotonic one is.
"""

import sys
from datetime import UTC, datetime, timedelta

import time_machine

from deploy.cli import main as murmur


def main() -> None:
    """Run the command with a clock that is so many days ahead, or behind where it is negative."""
    days = int(sys.argv.pop(1))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True):
        murmur()


if __name__ == "__main__":
    main()
