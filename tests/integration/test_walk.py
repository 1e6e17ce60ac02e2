"""The walk of a tweet's text is the one that its page lists."""

from pathlib import Path

from schemas.settings import Settings
from tests.walk.page import PAGE, page_of
from tests.walk.walks import walks


def test_the_page_lists_what_a_text_goes_through_and_json_is_decoded_once_a_stage(
    settings: Settings, tmp_path: Path
) -> None:
    found = walks(settings, tmp_path)
    stages = [stage for walk in found for stage in (walk.published, walk.scored, walk.stored)]
    assert [stage.decoded for stage in stages] == [1] * len(stages)
    # `python -m tests.walk --write` writes it anew.
    assert page_of(found) == PAGE.read_text(encoding="utf-8")
