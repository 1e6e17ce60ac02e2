"""The house rules for READMEs: lines that people read to the end, and files that are there."""

from tests.house_rules import MAX_PROSE_CHARS, long_prose, missing_files

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
