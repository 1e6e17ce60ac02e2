"""What the page gives to browsers: known files, few bytes, nothing inline, no other host."""

import gzip
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from deploy.page import rendering
from deploy.page.static_files import read_static_files
from deploy.page.strings import read_strings

PAGE: Final = Path(rendering.__file__).parent
TEMPLATES: Final = sorted((PAGE / "templates").glob("*.html"))
MOST_SCRIPT_BYTES: Final = 60 * 1024


def test_every_vendored_file_is_the_one_that_was_published() -> None:
    lines = (PAGE / "vendor" / "vendor.sha256").read_text().splitlines()
    listed = {name: sha256 for sha256, name in (line.split() for line in lines)}
    there = {path.name for path in (PAGE / "vendor").iterdir()} - {"vendor.sha256", "README.md"}
    assert there == set(listed)
    for name, expected in listed.items():
        assert hashlib.sha256((PAGE / "vendor" / name).read_bytes()).hexdigest() == expected, name
    assert any(name.endswith("LICENSE") for name in listed)


def test_all_scripts_together_are_small() -> None:
    scripts = [file for name, file in read_static_files().items() if name.endswith(".js")]
    assert len(scripts) >= 2
    assert sum(len(gzip.compress(file.content)) for file in scripts) <= MOST_SCRIPT_BYTES


def test_a_file_is_at_an_address_that_names_its_content() -> None:
    for name, file in read_static_files().items():
        assert file.address.endswith(f"/{hashlib.sha256(file.content).hexdigest()[:12]}/{name}")


class Inline(HTMLParser):
    """Finds what a strict policy refuses, and what would ask another host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith(("on", "hx-on", "hx-vals")) or name == "style":
                self.found.append(name)
            if name in ("src", "href", "action") and re.match(r"\w+://|//", value or ""):
                self.found.append(f"{name}={value}")
        if "[" in (names.get("hx-trigger") or ""):
            self.found.append("a filter in hx-trigger")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_inline_and_asks_no_other_host(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    parser = Inline()
    parser.feed(text)
    assert parser.found == []
    assert not re.search(r"\|\s*safe\b|autoescape", text), "everything is escaped"


def test_styles_and_scripts_ask_no_other_host() -> None:
    for name in ("page.css", "page.js"):
        assert "//" not in re.sub(
            r"^\s*//.*$", "", (PAGE / "static" / name).read_text(), flags=re.M
        )


def test_every_sentence_is_there_and_none_is_left_over() -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*TEMPLATES, *PAGE.glob("*.py")]]
    said = {
        name for text in texts for name in re.findall(r"say\(\s*[\"']([\w.]+\w)[\"']\s*[,)]", text)
    }
    # Names that are put together, as in say('window.' ~ window).
    sections = {name for text in texts for name in re.findall(r"say\(\s*'(\w+)\.' ~", text)}
    names = read_strings().names()
    assert said <= names, sorted(said - names)
    left = {name for name in names if name.removesuffix("_one") not in said}
    assert {name for name in left if name.partition(".")[0] not in sections} == set()


def test_one_of_a_kind_has_a_sentence_of_its_own() -> None:
    strings = read_strings()
    assert strings.say("overview.tweets_count", count=1, tweets="1") == "one tweet"
    assert strings.say("overview.tweets_count", count=2, tweets="2") == "2 tweets"
    with pytest.raises(KeyError):
        strings.say("overview.nothing")
