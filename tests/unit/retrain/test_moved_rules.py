"""Which rules moved: by a label's share in them first, then by how many tweets they have."""

from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.moved_rules import moved_rules
from retrain.drift.what_changed import LEAST_Z

BEFORE = {
    "": {"negative": 400, "positive": 1_600},
    "turned": {"negative": 20, "positive": 180},
    "grew": {"negative": 10, "positive": 40},
    "calm": {"negative": 100, "positive": 400},
    "gone": {"positive": 300},
}
AFTER = {
    "": {"negative": 500, "positive": 1_500},
    "turned": {"negative": 120, "positive": 80},
    "grew": {"negative": 80, "positive": 320},
    "calm": {"negative": 104, "positive": 396},
    "new": {"negative": 30, "positive": 120},
}


def test_rules_whose_label_moved_come_before_those_that_grew_or_shrank() -> None:
    found = moved_rules(BEFORE, AFTER, "negative", most=10)
    assert found[0].rule == "turned"
    assert {each.rule for each in found} == {"turned", "grew", "gone", "new"}
    turned = found[0]
    assert (turned.tweets_before, turned.tweets_after) == (200, 200)
    assert (turned.label_share_before, turned.label_share_after) == (0.1, 0.6)
    assert (turned.share_before, turned.share_after) == (0.1, 0.1)
    by_name = {each.rule: each for each in found}
    assert by_name["gone"].label_share_after is None
    assert by_name["new"].label_share_before is None
    assert by_name["gone"].z <= -LEAST_Z
    assert by_name["grew"].z >= LEAST_Z
    assert moved_rules(BEFORE, AFTER, "negative", most=1) == found[:1]


_COUNTS = st.dictionaries(st.sampled_from(["negative", "positive"]), st.integers(0, 300))
_SPAN = st.dictionaries(st.sampled_from(["a", "b", "c"]), _COUNTS)


@given(before=_SPAN, after=_SPAN)
def test_whatever_the_counts_it_ends_and_turns_with_the_spans(
    before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]
) -> None:
    def whole(span: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        return {**span, "": {"negative": 600, "positive": 900}}

    there = moved_rules(whole(before), whole(after), "negative", most=10)
    back = moved_rules(whole(after), whole(before), "negative", most=10)
    assert {(each.rule, round(each.label_z, 9)) for each in there} == {
        (each.rule, round(-each.label_z, 9)) for each in back
    }
