"""How the workers get their settings: by name where they can, so that a change reaches them alone.

A supervisor hands its own environment on, and only another supervisor has another one: all servers
start anew with it. What stands in its configuration file it takes in while it runs.
"""

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from pydantic_settings import DotEnvSettingsSource

from schemas.settings import ENV_PREFIX, Settings

_OF_THE_STACK: Final = ("MURMUR_HOME", "MURMUR_UP_WITH")
"""No worker reads them from its environment; what they change is told by the configuration."""
_PLAIN: Final = re.compile(r"[\w.,:/@+=~ -]*")
"""What the configuration file takes as it is: no quotes, comments, line breaks."""


@dataclass(frozen=True)
class HandedOver:
    """Two ways: variables in the workers' configuration, and the supervisor's environment.

    `fingerprint` is a hash of what goes the second way: secrets, what the file could not hold, the
    folder and the interpreter.
    """

    by_configuration: Mapping[str, str]
    by_supervisor: Mapping[str, str]
    fingerprint: str


def handed_over(env_file: Path | None, environment: Mapping[str, str]) -> HandedOver:
    """Divide the settings of an environment and of an `.env`, whose values it overrides."""
    of_file = DotEnvSettingsSource(Settings, env_file=env_file).env_vars
    settings = {
        name.upper(): value
        for name, value in {**of_file, **environment}.items()
        if value is not None
        and name.upper().startswith(ENV_PREFIX)
        and name.upper() not in _OF_THE_STACK
    }
    named = {name: value for name, value in sorted(settings.items()) if _may_be_read(name, value)}
    others = sorted((name, value) for name, value in settings.items() if name not in named)
    material = msgspec.json.encode([others, str(Path.cwd()), sys.executable])
    return HandedOver(
        by_configuration=named,
        by_supervisor={
            name: value for name, value in environment.items() if name.upper() not in named
        },
        fingerprint=hashlib.sha256(material).hexdigest(),
    )


def _may_be_read(name: str, value: str) -> bool:
    """Tell whether a setting is one, is no secret, and may stand in the configuration file."""
    field = Settings.model_fields.get(name.removeprefix(ENV_PREFIX).lower())
    is_secret = field is None or "SecretStr" in str(field.annotation)
    return not is_secret and _PLAIN.fullmatch(value) is not None
