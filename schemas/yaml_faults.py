"""What PyYAML raises for text that is no YAML, or none that it can make values of."""

from typing import Final

import yaml

NOT_YAML: Final = (
    yaml.YAMLError,
    UnicodeDecodeError,
    RecursionError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)
"""`!!bool maybe`, `!!timestamp x` and `!!int ""` are syntax that its constructors do not expect: a
`KeyError`, an `AttributeError` and an `IndexError` come out of them."""
