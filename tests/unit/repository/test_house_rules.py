"""The house rules: READMEs that people read to the end, and parts that take few settings."""

from tests.house_rules import (
    MAX_PROSE_CHARS,
    all_settings,
    long_prose,
    missing_files,
    prints_unescaped,
)

LONG = "word " * (MAX_PROSE_CHARS // 5) + "w"


def test_a_long_line_of_prose_is_named_by_its_place() -> None:
    assert len(LONG) == MAX_PROSE_CHARS + 1
    (broken,) = long_prose("README.md", f"# short\n\n{LONG}\n")
    assert broken.startswith("README.md:3 ")
    assert list(long_prose("README.md", LONG[1:])) == []


def test_an_item_of_a_list_is_prose() -> None:
    assert len(list(long_prose("README.md", f"- {LONG}"))) == 1


def test_tables_and_code_may_be_wide() -> None:
    assert list(long_prose("README.md", f"| {LONG} |\n```\n{LONG}\n```\n")) == []
    assert len(list(long_prose("README.md", f"```\n{LONG}\n```\n{LONG}"))) == 1


def test_a_readme_names_only_files_that_are_there() -> None:
    files = ("room/part/one.py", "room/two.py")
    text = "`one.py`, `../two.py`, `room/two.py` and `gone.py`, `rules.yaml`"
    (broken,) = missing_files("room/part/README.md", text, files)
    assert broken == "room/part/README.md:1 names gone.py, which is not there"


def test_a_part_takes_the_settings_that_it_uses() -> None:
    part, edge = "producers/replay/plan.py", "producers/replay/run_replay.py"
    for imported in ("Settings", "MissingSetting, Settings", "load_settings"):
        text = f"if it:\n    from schemas.settings import {imported}\n"
        (broken,) = all_settings(part, text)
        assert broken.startswith(f"{part} takes all settings")
        for allowed in (edge, "producers/live/cli.py", "tests/stack.py"):
            assert list(all_settings(allowed, text)) == []
    few = "from schemas.setting_views import Names\nfrom schemas.settings import MissingSetting\n"
    assert list(all_settings(part, few)) == []
    (outdated,) = all_settings(edge, few)
    assert "strike it from" in outdated


def test_commands_print_by_what_escapes() -> None:
    for printed in ('click.echo(f"{name}")', 'click.confirm("sure?")'):
        (broken,) = prints_unescaped("producers/cli.py", f"import click\n\n{printed}\n")
        assert broken.startswith("producers/cli.py:3 ")
        assert list(prints_unescaped("schemas/printing.py", printed)) == []
    assert list(prints_unescaped("producers/cli.py", "print_line(name)\n")) == []
