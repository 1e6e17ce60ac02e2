"""`.env.example`: every setting with its default, made from the settings themselves.

`python -m schemas.env_example` prints it.
"""

import sys
import textwrap

from pydantic import SecretStr

from schemas.settings import Settings

_HEAD = """\
# Every setting of Murmur, with its default. Copy to .env and change what you need; the
# environment wins over .env. Made by `make generated` from schemas/settings.py.
"""


def env_example() -> str:
    """Return the content of `.env.example`."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        default = (
            field.default.get_secret_value()
            if isinstance(field.default, SecretStr)
            else field.default
        )
        comment = textwrap.fill(
            field.description or "", 88, initial_indent="# ", subsequent_indent="# "
        )
        parts.append(f"{comment}\n# MURMUR_{name.upper()}={'' if default is None else default}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(env_example())
