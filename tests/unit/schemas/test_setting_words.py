"""What a person reads about settings: the values they take, and what is wrong with one."""

from typing import get_args, get_type_hints

import pytest
from pydantic import ValidationError

from schemas.setting_faults import setting_fault
from schemas.settings import Settings
from schemas.write_env_example import env_example


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("postgres", "mysql://host", "must begin with postgresql:// or postgres://"),
        ("redis", "host:6379", "must begin with redis://, rediss:// or unix://"),
        ("score_window", "many", "must be a whole number"),
        ("score_window", "1.5", "must be a whole number"),
        ("score_window", "0", "must be at least 1"),
        ("hold_ratio", "a fifth", "must be a number"),
        ("hold_ratio", "0", "must be above 0.0"),
        ("hold_ratio", "2", "must be at most 1.0"),
        ("languages", "en,,pt", "must be codes such as en or pt-BR, separated by commas"),
        ("languages", "english", "must be codes such as en or pt-BR, separated by commas"),
        ("log_format", "xml", "must be 'json' or 'text'"),
    ],
)
def test_a_fault_names_the_variable_and_what_it_takes(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MURMUR_{name.upper()}", value)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None)  # type: ignore[call-arg]
    (fault,) = refused.value.errors()
    assert setting_fault(fault) == f"MURMUR_{name.upper()}: {told}"


def test_the_example_lists_every_choice_and_every_bound() -> None:
    shown = {
        part.splitlines()[-1].removeprefix("# ").partition("=")[0]: " ".join(
            line.removeprefix("# ") for line in part.splitlines()[:-1]
        )
        for part in env_example().split("\n\n")[1:]
    }
    assert set(shown) == {f"MURMUR_{name.upper()}" for name in Settings.model_fields}
    for name, kind in get_type_hints(Settings).items():
        told = shown.get(f"MURMUR_{name.upper()}", "")
        if choices := [choice for choice in get_args(kind) if isinstance(choice, str)]:
            assert told.endswith(f"Allowed: {', '.join(choices)}.")
    assert shown["MURMUR_LOG_FORMAT"] == "Format of log lines. Allowed: json, text."
    assert shown["MURMUR_TOPIC_PARTITIONS"].endswith("A whole number, at least 1 and at most 1000.")
    assert shown["MURMUR_HOLD_RATIO"].endswith("A number, above 0 and at most 1.")
