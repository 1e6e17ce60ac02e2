from schemas.counted_nouns import number_of


def test_one_is_singular_and_thousands_are_grouped() -> None:
    assert [number_of(count, "tweet") for count in (0, 1, 2_140)] == [
        "0 tweets",
        "1 tweet",
        "2,140 tweets",
    ]
