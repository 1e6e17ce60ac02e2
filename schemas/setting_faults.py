"""What is wrong with the value of a setting, in words for the person who set it."""

from typing import Final

from pydantic_core import ErrorDetails

_SENTENCES: Final = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
    "string_pattern_mismatch": "must match {pattern}",
}


def setting_fault(fault: ErrorDetails) -> str:
    """Return one line that names the variable and says which values it takes.

    The value itself is never repeated: it may be a secret.
    """
    name = f"MURMUR_{'_'.join(map(str, fault['loc'])).upper()}"
    sentence = _SENTENCES.get(fault["type"])
    told = fault["msg"] if sentence is None else sentence.format_map(fault.get("ctx", {}))
    return f"{name}: {told}"
