"""The elements of an array over many lines: each once, whatever its neighbours are."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from producers.archives.json_elements import json_elements
from producers.archives.lines import LineReader
from producers.archives.records import Record

values = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('{}[]"\\,:é x'), max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
elements = st.lists(st.dictionaries(st.text(max_size=4), values, max_size=3), max_size=4)


def read(text: str, max_element_bytes: int = 10_000) -> list[Record]:
    return list(json_elements(iter(LineReader([text.encode()])), max_element_bytes))


@given(elements, st.sampled_from([None, 0, 2, "\t"]))
def test_each_element_is_one_record(array: list[dict[str, object]], indent: int | str) -> None:
    text = "window.YTD.tweets.part0 = " + json.dumps(array, indent=indent)
    found = read(text)
    assert [json.loads(record.raw) for record in found] == array
    assert len({(record.line, record.place) for record in found}) == len(array)


@given(elements, elements, st.sampled_from(['"open', "{", '{"a": [', '"\\']))
def test_a_broken_element_costs_no_other(
    before: list[dict[str, object]], after: list[dict[str, object]], broken: str
) -> None:
    assume(all('"bad"' not in json.dumps(each) for each in [*before, *after]))
    parts = [json.dumps(each, indent=2) for each in [{"first": 1}, *before]]
    parts += ['{\n  "bad": ' + broken + "\n}"]
    parts += [json.dumps(each, indent=2) for each in after if each]
    text = "[\n" + ",\n".join("  " + part.replace("\n", "\n  ") for part in parts) + "\n]"
    sound = [
        json.loads(r.raw) for r in read(text) if r.unreadable is None and b'"bad"' not in r.raw
    ]
    assert sound == [{"first": 1}, *before, *[each for each in after if each]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [('[\n  {\n    "a": 1', "unreadable-line"), ('[{"a": "' + "x" * 90 + '"}]', "too-large")],
)
def test_what_is_cut_or_too_large_is_one_unreadable_record(text: str, reason: str) -> None:
    (record,) = read(text, max_element_bytes=80)
    assert record.unreadable is not None
    assert record.unreadable.reason == reason


@given(elements, st.sampled_from([None, 0, 2]), st.sampled_from(["", "statuses"]))
def test_an_array_without_its_end_is_said_after_its_last_element(
    array: list[dict[str, object]], indent: int | None, name: str
) -> None:
    assume(array)
    whole = json.dumps({name: array} if name else array, indent=indent)
    cut = whole[: whole.rindex("}", 0, whole.rindex("]")) + 1]
    under = (name.encode(),) if name else ()

    def records(text: str) -> list[Record]:
        return list(json_elements(iter(LineReader([text.encode()])), under=under))

    assert all(record.unreadable is None for record in records(whole))
    *sound, last = records(cut)
    assert [json.loads(record.raw) for record in sound] == array
    assert last.unreadable is not None
    assert "the file ends inside the array" in last.unreadable.detail
    assert len({(record.line, record.place) for record in [*sound, last]}) == len(array) + 1
