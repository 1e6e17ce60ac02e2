"""Faults that a person can mend."""


class Failure(Exception):
    """Something a person has to change; the message is one line that says what.

    The `murmur` command prints the message alone and exits with 1. Rooms derive their own from it
    where a caller needs to tell them apart.
    """


class NotThere(Failure):
    """What was named does not exist; over HTTP that is a 404."""
