"""What `murmur replay --help` says is what the files say."""

import re
from pathlib import Path

from click.testing import CliRunner

from producers.cli import replay
from producers.formats.registry import ASKED_IN_TURN, FORMATS

README = Path(__file__).parents[3] / "producers" / "formats" / "README.md"


def help_text() -> str:
    return " ".join(CliRunner().invoke(replay, ["--help"]).output.split())


def test_formats_stand_in_the_help_in_the_order_of_the_readme() -> None:
    section = README.read_text("utf-8").partition("## Formats")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    names = re.findall(r"`(.*?)`", " ".join(cells))
    assert [known.name for known in FORMATS] == names
    assert "[" + "|".join(names) + "]" in help_text().replace(" ", "")


def test_every_format_is_asked_whether_it_recognises_a_file() -> None:
    assert set(ASKED_IN_TURN) == set(FORMATS)


def test_the_help_says_what_a_run_from_standard_input_is_called() -> None:
    assert "`replay` for standard input" in help_text()
