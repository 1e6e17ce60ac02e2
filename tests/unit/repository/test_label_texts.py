"""For every kind of label file, the text that a replay publishes is the text that training reads.

`python -m tests.label_texts FOLDER` says the same of files that people have.
"""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from schemas.failures import Failure
from tests.label_texts import TextCounts, compare_texts, files_in

LABELS = ("negative", "neutral", "positive")
QUOTES_AND_ESCAPES = ['"', '""', "'", "\\", "\\u2019", "\\u002c", "\\ud83d", "&amp;", "&amp;amp;"]
SEPARATORS = [" ", "\t", ",", "\r", "\x0b", "\x85", "\xa0", "\u2028", "\x00"]
PARTS = st.sampled_from([*QUOTES_AND_ESCAPES, *SEPARATORS, "é", "☀️", "Not Available"])
TEXTS = st.lists(
    PARTS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&\n\ufeff"))
).map("".join)
ROWS = st.lists(st.tuples(st.sampled_from(LABELS), TEXTS), min_size=1, max_size=8)
SOUND = ("neutral", "a sound row, by which the file is known")


def counts_of(folder: Path, name: str, content: str) -> TextCounts:
    path = folder / name
    path.write_bytes(content.encode())
    return compare_texts(path)


@given(ROWS)
@example([("neutral", '"He said ""so"" \\u2019"'), ("neutral", "\\u2019\t")])
@example([("neutral", '"gone"\tMon Aug 24 20:27:40 +0000 2015'), ("neutral", "two\tparts")])
def test_of_semeval(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    lines = [f"{at}\t{label}\t{text}\n" for at, (label, text) in enumerate([SOUND, *rows])]
    counts = counts_of(tmp_path_factory.mktemp("label"), "semeval.txt", "".join(lines))
    assert (counts.format, counts.agree) == ("semeval", True)


@given(ROWS, st.permutations(["id", "label", "text"]), st.booleans())
@example([("neutral", '"a ""b"""'), ("neutral", '"To be" or "not"')], ["id", "label", "text"], True)
@example([("neutral", "\\u2019")], ["id", "label", "text"], True)
def test_of_a_tsv_with_a_header(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    names: list[str],
    quotes: bool,
) -> None:
    lines = ["\t".join(names)]
    for at, (label, text) in enumerate([SOUND, *rows]):
        plain = text.replace("\t", " ")
        cell = '"' + plain.replace('"', '""') + '"' if quotes and at % 2 else plain
        cells = {"id": str(at), "label": label, "text": cell}
        lines.append("\t".join(cells[name] for name in names))
    folder = tmp_path_factory.mktemp("label")
    counts = counts_of(folder, "own.tsv", "\n".join(lines))
    assert (counts.format, counts.agree) == ("tsv", True)


@given(ROWS, st.permutations(["id", "label", "text"]), st.sampled_from(["\n", "\r\n"]))
@example([("neutral", 'one,\ntwo "or" three')], ["id", "label", "text"], "\n")
@example([("neutral", '1\tneutral\t"a"\n1\tneutral\tb')], ["text", "label", "id"], "\n")
def test_of_a_csv_with_a_header(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    names: list[str],
    line_end: str,
) -> None:
    written = io.StringIO()
    # Not quoted, a carriage return would end a row for training.
    writer = csv.DictWriter(
        written,
        names,
        lineterminator=line_end,
        quoting=csv.QUOTE_MINIMAL if "\r" in line_end else csv.QUOTE_ALL,
    )
    writer.writeheader()
    for at, (label, text) in enumerate([SOUND, *rows]):
        writer.writerow({"id": at, "label": label, "text": text})
    counts = counts_of(tmp_path_factory.mktemp("label"), "own.csv", written.getvalue())
    assert (counts.format, counts.agree) == ("csv", True)


@given(ROWS)
def test_of_a_tweeteval_folder(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    rows = [SOUND, *rows]
    folder = tmp_path_factory.mktemp("label")
    mapping = "".join(f"{number}\t{name}\n" for number, name in enumerate(LABELS))
    (folder / "mapping.txt").write_text(mapping, "utf-8")
    numbers = "".join(f"{LABELS.index(label)}\n" for label, _ in rows)
    (folder / "test_labels.txt").write_text(numbers, "utf-8")
    counts = counts_of(folder, "test_text.txt", "".join(f"{text}\n" for _, text in rows))
    assert (counts.format, counts.agree) == ("tweeteval", True)


@given(st.lists(TEXTS, min_size=1))
def test_of_texts_without_labels(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """A tab would begin a second column, for which such a file has no name: a dead letter."""
    lines = ["a text a line", *(text.replace("\t", " ") for text in texts)]
    try:
        counts = counts_of(tmp_path_factory.mktemp("label"), "plain.txt", "\n".join(lines))
    except Failure as failure:
        # Texts of nothing but quotes may be CSV too: then the replay asks.
        assert "choose --format" in str(failure)  # noqa: PT017
        reject()
    assert (counts.format, counts.agree) == ("tsv", True)


def test_rows_that_differ_are_counted(tmp_path: Path) -> None:
    agreeing = counts_of(tmp_path, "own.csv", "text,label\na &amp; b,calm\nc,calm\nNot Available,x")
    assert agreeing == TextCounts("csv", same=1, same_unescaped=1, only_in_replay=1)
    short = counts_of(tmp_path, "own.csv", "text,label,lang\na,calm\n")
    assert short == TextCounts("csv", only_in_training=1)
    assert not short.agree


def test_every_label_file_of_a_folder_is_found(tmp_path: Path) -> None:
    for name in ("a.tsv", "b/c.CSV", "b/test_text.txt", "b/test_labels.txt", "b/mapping.txt", "d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(file.relative_to(tmp_path)) for file in files_in(tmp_path)]
    assert found == ["a.tsv", "b/c.CSV", "b/test_text.txt"]
