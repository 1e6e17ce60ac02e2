"""An installation of the demo's own, so that no model that it trains ever serves anybody's tweets.

It has its own servers, settings and folders. What a person has set in `MURMUR_…` variables or a
`.env` is not read, and nothing is recorded at their MLflow.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Final

from deploy.demo.full.changing_stream import RUN
from deploy.embedded import stack
from deploy.embedded.start_programs import Say
from schemas.private_files import make_private_folder
from schemas.settings import Settings

FOLDER: Final = "full-demo"

SETTINGS: Final[Mapping[str, str]] = {
    # The watch learns a day, and the stream goes through one in seconds.
    "MURMUR_WATCH_LEARN_DAYS": "1",
    "MURMUR_WATCH_IDLE_S": "5",
    "MURMUR_RETRAIN_RUN": RUN,
    "MURMUR_RETRAIN_QUICK": "true",
    "MURMUR_RETRAIN_MIN_LABELS": "1500",
}
"""What differs from the defaults. The gate's limits do not."""

_OTHERS: Final = ("MURMUR_", "MLFLOW_", "WANDB_")


@contextmanager
def own_installation(home: Path, *, keep_up: bool, say: Say) -> Iterator[Settings]:
    """Yield the settings of a new installation in `home`, with score, sink and watch at work.

    What an earlier demo has left there is removed first; afterwards all of it is, unless it is to
    be kept up. Until then this process has the installation's environment and folder, so that
    whatever it starts has them too.
    """
    own = home.absolute() / FOLDER
    _remove(own)
    make_private_folder(home.absolute())
    make_private_folder(own)
    with _environment({**SETTINGS, "MURMUR_HOME": str(own)}), chdir(own):
        try:
            yield stack.up(own, env_file=None, with_page=keep_up, say=say)
        except BaseException:
            stack.down(own, say=say)
            raise
        if not keep_up:
            stack.down(own, say=say)
    if not keep_up:
        _remove(own)


def _remove(own: Path) -> None:
    stack.remove(own)
    shutil.rmtree(own, ignore_errors=True)


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(_OTHERS)]:
        del os.environ[name]
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
