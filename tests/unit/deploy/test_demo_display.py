"""What the demo tells of its checks."""

from rich.console import Console

from deploy.demo.display import checks_table, mismatch
from deploy.demo.verification import check


def shown(*checks: tuple[str, int, int]) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(checks_table([check(*figures) for figures in checks]))
    return captured.get()


def test_a_check_that_holds_shows_one_number() -> None:
    assert shown(("rows", 17_000, 17_000)).split() == ["✓", "rows", "17,000"]


def test_a_check_that_fails_shows_both_numbers() -> None:
    assert "✗  rows  16,999, expected 17,000" in shown(("rows", 17_000, 16_999))


def test_the_line_of_a_failure_names_only_what_differs_and_both_figures() -> None:
    checks = [check("rows", 3, 3), check("dead letters", {"not-json": 2}, {"not-json": 1})]
    assert mismatch(checks) == "dead letters: not-json 1, expected not-json 2"
