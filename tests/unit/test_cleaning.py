"""Cleaning for the model is pure, total, and for ever the same within a version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server.cleaning import CLEANING

clean = CLEANING["1"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  plain words \n", "plain words"),
        ("see https://example.org/a?b=1, now", "see http now"),
        ("http://a.example http://b.example", "http http"),
        ("@Some_One and @b!", "@user and @user!"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("twice &amp;amp; escaped", "twice & escaped"),
        ("mail me@example.org", "mail me@user.org"),
        ('"quoted" and \\u2019 stay', '"quoted" and \\u2019 stay'),
        ("", ""),
        ("&#" + "1" * 5_000 + "; ok", "\ufffd ok"),
        ("&amp;#" + "1" * 5_000, "\ufffd"),
    ],
)
def test_version_1_never_changes(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_any_text_can_be_cleaned_and_no_name_is_left(text: str) -> None:
    assert "https://" not in clean(text + " https://example.org @someone")
    assert clean(f"{text} @someone").endswith("@user")
