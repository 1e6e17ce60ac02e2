"""Training's libraries: whether they are there, and what they read when they are loaded."""

import os
from importlib.util import find_spec
from typing import Final

from schemas.failures import Failure

_DEFAULTS: Final = {
    # Nothing is sent anywhere but to where a base or a tracking server was asked for.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Threads that wait by spinning cost 3.3 instead of .6 CPU seconds a step where others use the
    # processor too.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def prepare_libraries() -> None:
    """Raise `Failure` where they are not installed; set in the environment what a person has not.

    To be called before torch, transformers or MLflow is imported.
    """
    if find_spec("torch") is None:
        raise Failure("training's libraries are not installed: run `make .venv/retrain.stamp`")
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
