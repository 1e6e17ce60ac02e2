"""What a process says by the number that it ends with: the one table, for supervisors and people.

| code | what it says | what helps |
|---|---|---|
| 0 | done, or ended because it was told to | |
| 1 | failed: a line of the log or of standard error says what to mend | mend, start again |
| 2 | called wrongly, or by settings that are none | mend the call |
| 70 | stood still for `MURMUR_STALL_AFTER_S`, or a topic made anew | start again: supervisors do |
| 71 | told to stop, and not done in time | start again when wanted |
| 99 | there was nothing to do: no training is due, or none waits | ask again later |
| 128 + n | interrupted by signal n before the end (130: Ctrl-C) | the same call goes on |
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The codes that have a meaning of their own."""

    DONE = 0
    FAILED = 1
    WRONG_CALL = 2
    STALLED = 70
    UNFINISHED = 71
    NOTHING_TO_DO = 99


def interrupted_by(signal_number: int) -> int:
    """Return the code of what a signal ended before it was done, as shells give it."""
    return 128 + signal_number
