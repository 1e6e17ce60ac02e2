"""Files that people write in YAML: rules, overrides."""

from pathlib import Path
from typing import Any, Final

import yaml

from schemas.failures import Failure

_NOT_YAML: Final = (
    yaml.YAMLError,
    UnicodeDecodeError,
    RecursionError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)
"""`!!bool maybe`, `!!timestamp x` and `!!int ""` are syntax that PyYAML's constructors do not
expect: a `KeyError`, an `AttributeError` and an `IndexError` come out of them."""


def read_yaml(path: Path) -> Any:
    """Return what a file holds; raise `Failure` with the file, and the line where that is known."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    except _NOT_YAML as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark is not None else ""
        raise Failure(f"{path}{where}: not valid YAML") from error
