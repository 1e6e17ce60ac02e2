"""Ending a process without what C libraries do at exit.

OpenSSL frees its state in an exit handler of C, while threads of Kafka's client may still use it:
a process that was done would end by SIGSEGV now and then (openssl/openssl#6214).
"""

import atexit
import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def without_exit_handlers_of_c() -> Iterator[None]:
    """Let a process that ends by `SystemExit` within the block end with its code, and sooner.

    Threads that are no daemons are waited for. Python's exit handlers run that were registered
    within the block, logs and standard streams are written, and nothing else is done. Where the
    streams cannot be written, Python ends as it always does: it says so, with code 120.
    """
    exit_code: list[int] = []

    def end() -> None:
        if not exit_code:
            return
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):
                return
        os._exit(exit_code[0])

    # The first to be registered runs last.
    atexit.register(end)
    try:
        yield
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            exit_code.append(int(ending.code or 0))
        raise
