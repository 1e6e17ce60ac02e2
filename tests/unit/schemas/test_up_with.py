"""Which processes `murmur up` keeps up beside those of every stack."""

import pytest
from pydantic import ValidationError

from schemas.process.process_list import EMBEDDED, SERVE, STREAM
from schemas.settings import Settings


def test_the_page_is_served_too_unless_others_are_named() -> None:
    assert Settings.model_fields["up_with"].default == SERVE.name
    assert Settings.model_validate({"up_with": ""}).kept_up == EMBEDDED
    wanted = Settings.model_validate({"up_with": "serve, stream"})
    assert set(wanted.kept_up) == {*EMBEDDED, SERVE, STREAM}


@pytest.mark.parametrize("value", ["score", "serve stream", "serve,"])
def test_what_is_no_further_process_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="must be some of stream"):
        Settings.model_validate({"up_with": value})
