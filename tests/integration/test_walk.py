"""The walk of a tweet's text is the one that its page lists."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from schemas.settings import Settings
from tests.walk.page import PAGE, page_of
from tests.walk.walks import walks

CALLED_BY_THE_CLOCK: Final = frozenset(
    f"producers/replay/file_replay.py: FileReplay.{name}"
    for name in ("_tick", "_wait_for_confirmations")
)
"""Whether a replay of one tweet takes long enough for these is chance, and so is the order then."""


def functions_by_stage(page: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    stage = ""
    for line in page.splitlines():
        if line.startswith("## "):
            stage = line
        elif listed := re.fullmatch(r"\d+\. `(.+)`", line):
            found[stage].add(listed[1])
    return {stage: functions - CALLED_BY_THE_CLOCK for stage, functions in found.items()}


def test_the_page_lists_what_a_text_goes_through_and_json_is_decoded_once_a_stage(
    settings: Settings, tmp_path: Path
) -> None:
    found = walks(settings, tmp_path)
    stages = [stage for walk in found for stage in (walk.published, walk.scored, walk.stored)]
    assert [stage.decoded for stage in stages] == [1] * len(stages)
    # `python -m tests.walk --write` writes it anew.
    page = PAGE.read_text(encoding="utf-8")
    assert functions_by_stage(page_of(found)) == functions_by_stage(page)
