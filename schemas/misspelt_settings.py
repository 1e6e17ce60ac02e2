"""Variables that look like settings but are not: they would have no effect, without a word."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from schemas.settings import ENV_PREFIX, Settings

_LEAST_LIKENESS: Final = 0.9


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Return each name that is nearly a setting's, and the setting it is near to.

    Other names with the prefix are ignored: Kubernetes puts the addresses of services into the
    environment of every pod, as `MURMUR_SINK_PORT` for a service `murmur-sink`.
    """
    settings = [ENV_PREFIX + field.upper() for field in Settings.model_fields]
    odd = [name for name in names if name.startswith(ENV_PREFIX) and name not in settings]
    near = {name: get_close_matches(name, settings, n=1, cutoff=_LEAST_LIKENESS) for name in odd}
    return {name: matches[0] for name, matches in near.items() if matches}


def misspelt_here(env_file: Path = Path(".env")) -> dict[str, str]:
    """Return the misspelt settings of the environment and of `.env`."""
    sources = (DotEnvSettingsSource(Settings, env_file=env_file), EnvSettingsSource(Settings))
    return misspelt(name.upper() for source in sources for name in source.env_vars)
