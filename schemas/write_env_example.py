"""`.env.example`: every setting with its default, made from the settings themselves.

`python -m schemas.write_env_example` prints it.
"""

import sys
import textwrap
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from schemas.settings import Settings

_HEAD = """\
# Every setting of Murmur, with its default. Copy to .env and change what you need; the
# environment wins over .env. Made by `make generated` from schemas/settings.py.
"""
_BOUNDS: Final = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
_NUMBERS: Final[dict[Any, str]] = {int: "A whole number", float: "A number"}


def env_example() -> str:
    """Return the content of `.env.example`."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        default = (
            field.default.get_secret_value()
            if isinstance(field.default, SecretStr)
            else field.default
        )
        told = " ".join(filter(None, (field.description, allowed_values(field))))
        comment = textwrap.fill(
            told, 88, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )
        parts.append(f"{comment}\n# MURMUR_{name.upper()}={'' if default is None else default}\n")
    return "\n".join(parts)


def allowed_values(field: FieldInfo) -> str:
    """Return a sentence about the values that a setting takes, by its type; empty for texts."""
    if get_origin(field.annotation) is Literal:
        return f"Allowed: {', '.join(get_args(field.annotation))}."
    if field.annotation not in _NUMBERS:
        return ""
    bounds = [
        told.format(bound)
        for limit in field.metadata
        for key, told in _BOUNDS.items()
        if (bound := getattr(limit, key, None)) is not None
    ]
    return f"{_NUMBERS[field.annotation]}{', ' if bounds else ''}{' and '.join(bounds)}."


if __name__ == "__main__":
    sys.stdout.write(env_example())
