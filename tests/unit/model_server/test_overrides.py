"""Overrides: what their file may say, which texts they concern, and that their tests can fail."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from model_server.overrides.cli import check as command
from model_server.overrides.override import Override, Overrides, OverrideTests, failed_tests
from model_server.overrides.override_file import read_overrides
from model_server.overrides.phrase import parse_phrase, phrase_words
from schemas.failures import Failure
from tests.unit.examples import LABELS


def override(name: str = "sick", **changed: Any) -> Override:
    fields: dict[str, Any] = {
        "name": name,
        "pattern": "sick",
        "label": "positive",
        "reason": "skaters say it for great",
        "tests": OverrideTests(changes=("this is sick",), leaves=("homesick",)),
    }
    return Override(**{**fields, **changed})


@pytest.mark.parametrize(
    ("pattern", "text", "stands"),
    [
        ("sick", "That was SICK!!!", True),
        ("#Sick", "so sick", True),
        ("sick", "so #sick", True),
        ("sick", "sickest", False),
        ("sick*", "the sickest", True),
        ("sick*", "homesick", False),
        ("sick", "@sick https://a.example/sick", False),
        ("so sick", "so, sick", True),
        ("so sick", "so very sick", False),
        ("don't", "DON'T", True),
        ("🔥", "pure 🔥🔥", True),
        ("❤", "❤️", True),
        ("na\u00efve", "nai\u0308ve", True),
        ("straße", "STRASSE", True),
    ],
)
def test_a_phrase_stands_where_its_words_do(pattern: str, text: str, stands: bool) -> None:
    assert parse_phrase(pattern).stands_in(phrase_words(text)) == stands


@given(st.text(min_size=1), st.text(), st.text())
def test_a_text_has_the_phrase_of_its_own_words(before: str, pattern: str, after: str) -> None:
    words = phrase_words(pattern)[:16]
    if words:
        phrase = parse_phrase(" ".join(words))
        assert phrase.stands_in(phrase_words(f"{before} {' '.join(words)} {after}"))


@pytest.mark.parametrize("pattern", ["*", "s*ck", "**", "...", "a " * 17, "@sick", "sick **"])
def test_a_pattern_that_is_no_phrase_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="word"):
        parse_phrase(pattern)


def test_language_and_rules_narrow_and_the_first_wins() -> None:
    german = override("german", languages=("de",), label="negative")
    of_brand = override("brand", rules=("skate", "surf"))
    everywhere = override("everywhere", label="neutral")
    both = Overrides.of([german, of_brand, everywhere])
    assert both.override_for("sick", "de-AT", ["skate"]) == german
    assert both.override_for("sick", "en", ["other", "surf"]) == of_brand
    assert both.override_for("sick", None, []) == everywhere
    assert both.override_for("fine", "de", ["skate"]) is None


def test_each_test_that_does_not_hold_is_named() -> None:
    tests = OverrideTests(changes=("sick", "ill"), leaves=("homesick", "sick"))
    shadowed = override("second")
    failed = list(failed_tests(Overrides.of([override("first", tests=tests), shadowed])))
    assert failed == [
        "first: text 2 of `changes` does not have the pattern",
        "first: text 2 of `leaves` has the pattern",
        "second: text 1 of `changes` is changed by first",
    ]
    assert not list(failed_tests(Overrides.of([override()])))


FILE = """
- name: sick
  pattern: sick
  label: positive
  reason: skaters say it for great
  languages: [en]
  tests: {changes: [this is sick], leaves: [homesick]}
"""


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a: [", ":1: not valid YAML"),
        ("- label: !!bool maybe", "not valid YAML"),
        ("!!timestamp x", "not valid YAML"),
        ("- \ud83d".encode("utf-8", "surrogatepass"), "not valid YAML"),
        ("a: 1", "expected a list"),
        (FILE + FILE, "override 2 has the name of an earlier one"),
        (FILE.replace("label: positive", "label: great"), "the model's are"),
        (FILE.replace("label: positive", "label: no"), "override 1: Expected `str`, got `bool`"),
        (FILE.replace("  reason: skaters say it for great\n", ""), "missing required field"),
        (FILE.replace("languages", "language"), "unknown field `language`"),
        (FILE.replace("[homesick]", "[]"), "length >= 1"),
        (FILE.replace("pattern: sick", 'pattern: "*"'), "sick: '*' is not a word"),
        (FILE.replace("name: sick", "name: Sick Leave"), "`$.name`"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(
    content: str | bytes, fault: str, tmp_path: Path
) -> None:
    file = tmp_path / "overrides.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Failure) as refused:
        read_overrides(file, LABELS)
    assert fault in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_version_follows_the_content_and_not_its_form(tmp_path: Path) -> None:
    versions = []
    for number, content in enumerate(
        [FILE, f"# a comment\n{FILE}", FILE.replace("great", "very good")]
    ):
        file = tmp_path / f"{number}.yaml"
        file.write_text(content)
        versions.append(read_overrides(file, LABELS).version)
    assert versions[0] == versions[1] != versions[2]


def test_the_command_runs_the_tests_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "overrides.yaml"
    file.write_text(FILE)
    found = CliRunner().invoke(command, ["--json", str(file)], standalone_mode=False)
    assert found.return_value == 0
    assert json.loads(found.stdout)["tests"] == 2
    file.write_text(FILE.replace("homesick", "a sick day"))
    found = CliRunner().invoke(command, [str(file)], standalone_mode=False)
    assert found.return_value == 1
    assert found.stderr == "sick: text 1 of `leaves` has the pattern\n"
    assert "1 of 2 tests pass" in found.stdout
