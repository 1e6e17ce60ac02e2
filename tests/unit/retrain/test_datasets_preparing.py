"""From label files to training texts: what is unfit is removed, counted, or refused."""

from collections import Counter
from pathlib import Path

import pytest

from retrain.datasets.prepare_dataset import Prepared, Sources, prepare
from retrain.datasets.rows import UnusableLabels
from retrain.datasets.splitting import Example, split
from schemas.tweet_time import snowflake_time

LABELS = ("calm", "cross")


def write(file: Path, rows: list[tuple[str, str]], *, first_id: int = 1) -> Path:
    lines = [f"{first_id + place}\t{label}\t{text}" for place, (text, label) in enumerate(rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def distinct(number: int, word: str = "text") -> list[tuple[str, str]]:
    """Rows of which no two share a pair of words."""
    return [(f"{word} {n} of {n} many {n}", LABELS[n % 2]) for n in range(number)]


def prepared(folder: Path, rows: list[tuple[str, str]], **others: Path) -> Prepared:
    files = {name: (file,) for name, file in others.items()}
    return prepare(Sources(labels=(write(folder / "labels.tsv", rows),), **files))  # type: ignore[arg-type]


def test_texts_are_cleaned_and_each_stands_there_once(tmp_path: Path) -> None:
    found = prepared(tmp_path, [*distinct(40), ("see @bob &amp; me", "calm")] * 2)
    texts = [example.text for example in (*found.training, *found.validation)]
    assert "see @user & me" in texts
    assert max(Counter(texts).values()) == 1
    assert found.data_report.removed["repeats another"] == 41


def test_texts_whose_copies_have_different_labels_are_left_out_whole(tmp_path: Path) -> None:
    found = prepared(tmp_path, [*distinct(40), ("both ways", "calm"), ("both ways ", "cross")])
    assert "both ways" not in {example.text for example in (*found.training, *found.validation)}
    assert found.data_report.removed["its copies have different labels"] == 2


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("so this is it: the one & only day of the year", "a text of test"),
        ("RT @ann: So THIS is it, the one only day of the year!!! http://x.co/1", "nearly a"),
        ("so this is it: the one & only good day of the year", "nearly a text of test"),
        (
            "so this is it: the one & only day of the year \U0001f60d\U0001f389",
            "nearly a text of test",
        ),
    ],
)
def test_no_text_of_the_test_set_is_trained_on_nor_one_that_is_nearly_so(
    tmp_path: Path, written: str, reason: str
) -> None:
    test = write(
        tmp_path / "test.tsv", [("so this is it: the one &amp; only day of the year", "x")]
    )
    found = prepared(tmp_path, [*distinct(40), (written, "calm")], test=test)
    assert len(found.training) + len(found.validation) == 40
    assert sum(n for why, n in found.data_report.removed.items() if why.startswith(reason)) == 1


def test_a_text_of_the_test_set_stays_out_whatever_is_wrong_with_its_label(tmp_path: Path) -> None:
    rows = distinct(40)
    labels_of_test = ["", "calm", "elsewhere"]
    test = write(
        tmp_path / "test.tsv",
        [(text, label) for (text, _), label in zip(rows, labels_of_test, strict=False)],
    )
    found = prepared(tmp_path, rows, test=test)
    assert len(found.training) + len(found.validation) == 37
    assert found.data_report.test_files[str(test)] == {"rows": 2, "missing column": 1}


def test_texts_are_not_near_by_their_emoji_alone(tmp_path: Path) -> None:
    test = write(tmp_path / "test.tsv", [("omg \U0001f602", "x")])
    found = prepared(tmp_path, [*distinct(40), ("lol \U0001f602", "calm")], test=test)
    assert len(found.training) + len(found.validation) == 41


def test_what_is_kept_out_has_one_hash_whatever_the_cleaning(tmp_path: Path) -> None:
    test = write(tmp_path / "test.tsv", [("what a day \U0001f602", "x")])
    labels = write(tmp_path / "labels.tsv", [*distinct(40), ("a day \U0001f60d", "calm")])
    first, second = (
        prepare(Sources(labels=[labels], test=[test], cleaning=cleaning)) for cleaning in ("1", "2")
    )
    assert first.kept_out_sha256 == second.kept_out_sha256
    assert first.sha256 != second.sha256


def test_unlabelled_texts_are_kept_apart_from_test_and_validation_too(tmp_path: Path) -> None:
    test = write(tmp_path / "test.tsv", [("a text that nobody may learn", "x")])
    validation = write(tmp_path / "validation.tsv", distinct(6, "valid"))
    more = tmp_path / "more.txt"
    more.write_text(
        "A text that nobody may learn!\nvalid 1 of 1 many 1\nfree to be used\nfree to be used \n\n"
    )
    found = prepared(tmp_path, distinct(40), test=test, validation=validation, unlabelled=more)
    assert found.unlabelled == ("free to be used",)
    assert found.data_report.unlabelled == 1
    assert found.data_report.unlabelled_files == {str(more): {"rows": 4}}
    removed = found.data_report.as_json()["removed"]
    assert removed["unlabelled, nearly a text of validation or test"] == 2
    assert removed["unlabelled, repeats another"] == 1


def test_training_texts_that_are_nearly_validation_texts_are_removed(tmp_path: Path) -> None:
    validation = write(tmp_path / "validation.tsv", [("a day in may", "calm"), ("ugh", "cross")])
    rows = [*distinct(40), ("A day in May!", "calm")]
    found = prepared(tmp_path, rows, validation=validation)
    assert len(found.training) == 40
    assert found.data_report.validation == {"calm": 1, "cross": 1}


def test_the_hash_of_the_data_tells_any_change(tmp_path: Path) -> None:
    rows = distinct(40)
    again, other = prepared(tmp_path, rows), prepared(tmp_path, [*rows[:-1], ("new", "cross")])
    assert prepared(tmp_path, rows).sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*distinct(40), ("odd one", "clam")], "too few training texts: 1 of 'clam'"),
        ([(text, "calm") for text, _ in distinct(40)], "2 to 50 labels, these files have 1"),
        ([(text, f"label {n}") for n, (text, _) in enumerate(distinct(51))], "have 51"),
        ([*distinct(8), ("a", "x" * 101)], "cannot be a label"),
        ([*distinct(8), ("a", "one\x1btwo")], "cannot be a label"),
        ([*distinct(4)] * 5, "too few training texts: 2 of 'calm', 2 of 'cross'"),
        ([*distinct(9), *((t, LABELS[LABELS[0] == n]) for t, n in distinct(9))], "9 of 9 texts"),
    ],
)
def test_labels_that_nothing_can_be_learned_from_are_refused(
    tmp_path: Path, rows: list[tuple[str, str]], said: str
) -> None:
    with pytest.raises(UnusableLabels, match=said):
        prepared(tmp_path, rows)


def test_texts_that_are_missing_because_they_are_of_test_are_no_reason_to_label_more(
    tmp_path: Path,
) -> None:
    rows = distinct(40)
    others = [(f"quite another thing, number {n}", label) for n, (_, label) in enumerate(rows)]
    test = write(tmp_path / "test.tsv", rows)
    with pytest.raises(UnusableLabels, match="40 texts were left out as texts of test"):
        prepared(tmp_path, rows, test=test)
    with pytest.raises(UnusableLabels, match=r"no validation .* 40 texts were left out as"):
        prepared(tmp_path, others, test=test, validation=test)
    with pytest.raises(UnusableLabels, match="each label needs 8: label more"):
        prepared(tmp_path, distinct(8))


def test_two_of_many_labels_may_be_chosen(tmp_path: Path) -> None:
    others = [(f"other text {n}", f"other {n % 5}") for n in range(100)]
    file = write(tmp_path / "labels.tsv", [*distinct(40), *others])
    found = prepare(Sources(labels=[file], label_names=LABELS))
    assert found.labels == tuple(LABELS)
    assert found.data_report.files[str(file)] == {"rows": 40, "unknown label": 100}


def test_chosen_labels_that_the_files_write_in_another_way_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "labels.tsv", [(text, label.title()) for text, label in distinct(40)])
    with pytest.raises(UnusableLabels, match=r"unknown label: 40; its labels are 'Calm', 'Cross'"):
        prepare(Sources(labels=[file], label_names=LABELS))


def test_files_of_which_most_rows_have_no_text_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "labels.tsv", [*distinct(10), *[("", "calm")] * 18])
    with pytest.raises(UnusableLabels, match=r"18 of 28 rows cannot be used \(empty text: 18"):
        prepare(Sources(labels=[file], label_names=LABELS))


def test_the_newest_validate_where_ids_hold_their_time() -> None:
    milliseconds = [5, 1, 9, 3, 7, 2, 8, 4, 6, 10]
    examples = [Example(str((n * 10_000_000) << 22), f"text {n}", "calm") for n in milliseconds]
    training, validation = split(examples, by="auto", share=0.2)
    assert {example.text for example in validation} == {"text 9", "text 10"}
    assert max(map(_time, training)) < min(map(_time, validation))


def _time(example: Example) -> float:
    when = snowflake_time(example.id or "")
    assert when is not None
    return when.timestamp()


def test_without_times_the_same_share_of_each_label_validates_whatever_the_order() -> None:
    examples = [Example(None, f"text {n}", LABELS[n % 10 == 0]) for n in range(500)]
    training, validation = split(examples, by="auto", share=0.1)
    assert Counter(example.label for example in validation) == {"calm": 45, "cross": 5}
    assert len(training) == 450
    assert set(split(examples[::-1], by="hash", share=0.1)[1]) == set(validation)


def test_a_split_by_time_is_refused_where_no_id_has_one() -> None:
    with pytest.raises(UnusableLabels, match="no id contains a time"):
        split([Example("12", "text", "calm")], by="time", share=0.1)


def test_a_folder_of_tweeteval_brings_its_own_validation_and_test(tmp_path: Path) -> None:
    (tmp_path / "mapping.txt").write_text("0\tcalm\n1\tcross\n")
    for name, rows in (("train", 20), ("val", 4), ("test", 6)):
        texts = [f"{name} {n} of many" for n in range(rows)]
        # The first test text is a training text as well.
        texts[0] = "train 1 of many" if name == "test" else texts[0]
        (tmp_path / f"{name}_text.txt").write_text("".join(f"{text}\n" for text in texts))
        (tmp_path / f"{name}_labels.txt").write_text("".join(f"{n % 2}\n" for n in range(rows)))
    found = prepare(Sources(labels=[tmp_path]))
    assert (len(found.training), len(found.validation)) == (19, 4)
    assert found.data_report.removed["a text of test"] == 1

    for choice in ({"split_by": "hash"}, {"validation_share": 0.2}):
        with pytest.raises(UnusableLabels, match="no split to choose"):
            prepare(Sources(labels=[tmp_path], **choice))

    own = write(tmp_path / "own.tsv", distinct(40))
    validated = prepare(Sources(labels=[own], validation=[tmp_path]))
    assert {example.text.split()[0] for example in validated.validation} == {"val"}


def test_rows_empty_when_cleaned_count_once_whatever_their_labels(tmp_path: Path) -> None:
    found = prepared(tmp_path, [*distinct(40), ("&nbsp;", "calm"), ("&nbsp;", "cross")])
    removed = found.data_report.as_json()["removed"]
    assert sum(removed.values()) == 2
    assert min(removed.values()) > 0


def test_a_bound_holds_for_unlabelled_texts_too(tmp_path: Path) -> None:
    more = tmp_path / "more.txt"
    more.write_text("".join(f"more {n} of {n} such {n}\n" for n in range(90)))
    labels = write(tmp_path / "labels.tsv", distinct(80))
    found = prepare(Sources(labels=[labels], unlabelled=[more], most_texts=30))
    assert len(found.unlabelled) == found.data_report.unlabelled == 30
    kept = len(found.training) + len(found.validation)
    removed = {"more than are wanted": 80 - kept, "unlabelled, more than are wanted": 60}
    assert found.data_report.as_json()["removed"] == removed
