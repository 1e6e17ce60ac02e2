"""What jobs leave on the disk: a job that is over leaves no text.

Deletions reach PostgreSQL, not these folders. So a job's label files, its trained model with the
texts that it was validated on, checkpoints, and what a killed process left half-written go with it.
"""

import logging
import shutil
from pathlib import Path
from typing import Final

from retrain.jobs.job_store import jobs_that_are_over
from retrain.jobs.stages import BUNDLE, VERDICT
from schemas.transport.postgres import Connection

logger = logging.getLogger(__name__)

_STAYS: Final = (VERDICT, f"{BUNDLE}*")


def forget_texts(folder: Path) -> None:
    """Leave of a job's folder only what holds no text: its bundles, and the verdict of the gate.

    What cannot be removed is said in the log, and tried again with the next call.
    """
    for path in _entries(folder):
        if any(path.match(pattern) for pattern in _STAYS):
            continue
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("texts of a training stay on the disk: %s", error)


def forget_texts_of_ended(connection: Connection, folders: Path) -> None:
    """Forget the texts of each job that is over, whoever ended it; `folders` has one of each job.

    A job that PostgreSQL does not know is over too.
    """
    numbers = [
        int(path.name) for path in _entries(folders) if path.name.isdecimal() and path.is_dir()
    ]
    for number in jobs_that_are_over(connection, numbers):
        forget_texts(folders / str(number))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
