"""What training's libraries read from the environment when they are loaded."""

import os
from typing import Final

_DEFAULTS: Final = {
    # Nothing is sent anywhere but to where a base or a tracking server was asked for.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    # Threads that wait by spinning cost 3.3 instead of .6 CPU seconds a step where others use the
    # processor too.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def set_defaults() -> None:
    """Set what a person has not set; to be called before torch and transformers are imported."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
