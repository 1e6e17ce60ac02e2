"""Every row of a file is stored or counted with its fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.labels.files.file_row import Fault, FileRow
from retrain.labels.import_labels import ImportChoice, sift
from schemas.people_labels import LabelOrigin
from tests.unit.examples import RECEIVED_AT

FOUND = {"1": ("1", 0), "2": ("2", 0), "21": ("2", 1)}


def choice(
    origin: LabelOrigin = LabelOrigin.AUDIT, answer_seen: bool | None = False
) -> ImportChoice:
    return ImportChoice(run="r", origin=origin, answer_seen=answer_seen, labeller="ann")


def sifted(
    *rows: FileRow, by: ImportChoice | None = None
) -> tuple[dict[tuple[str, int, str, LabelOrigin], str | None], dict[Fault, int]]:
    found = sift(rows, by or choice(), labels=("calm", "cross"), found=FOUND, now=RECEIVED_AT)
    good = {
        (key.root_id, key.version, key.labeller, key.origin): label.label
        for key, (_, label) in found.good.items()
    }
    return good, {fault: len(faulty) for fault, faulty in found.faulty.items() if faulty}


rows_strategy = st.lists(
    st.builds(
        FileRow,
        place=st.just("line 1"),
        tweet_id=st.sampled_from(["1", "2", "21", "3", ""]),
        label=st.sampled_from(["calm", "cross", "other", ""]),
        labeller=st.sampled_from(["", "bob"]),
        version=st.sampled_from(["", "0", "1", "x"]),
        origin=st.sampled_from(["", "queue", "audit", "nonsense"]),
        answer_shown=st.booleans(),
        labelled_at=st.sampled_from(["", "2026-11-21", "soon", "0001-01-01T00:00:00+23:00"]),
    ),
    max_size=12,
)


@given(rows_strategy, st.sampled_from(list(LabelOrigin)), st.sampled_from([None, True, False]))
def test_no_row_is_dropped_in_silence(
    rows: list[FileRow], origin: LabelOrigin, answer_seen: bool | None
) -> None:
    good, faults = sifted(*rows, by=choice(origin, answer_seen))
    assert len(good) + sum(faults.values()) == len(rows)


def test_two_labels_by_one_person_are_both_left_out_and_by_two_both_taken() -> None:
    rows = [FileRow("line 2", "1", "calm"), FileRow("line 3", "1", "cross")]
    assert sifted(*rows, rows[0]) == ({}, {Fault.CONFLICTING: 3})
    other = rows[1]._replace(labeller="bob")
    assert len(sifted(rows[0], other)[0]) == 2
    assert sifted(rows[0], rows[0])[1] == {Fault.REPEATED: 1}


def test_an_id_of_a_later_version_means_that_version() -> None:
    good, _ = sifted(FileRow("", "21", "calm"), FileRow("", "2", "cross"))
    assert good == {
        ("2", 1, "ann", LabelOrigin.AUDIT): "calm",
        ("2", 0, "ann", LabelOrigin.AUDIT): "cross",
    }


@pytest.mark.parametrize(
    ("own", "given_origin", "answer_seen", "stored"),
    [
        ("", LabelOrigin.AUDIT, False, LabelOrigin.AUDIT),
        ("queue", LabelOrigin.AUDIT, False, LabelOrigin.QUEUE),
        ("audit", LabelOrigin.QUEUE, False, LabelOrigin.AUDIT),
        ("audit", LabelOrigin.QUEUE, None, LabelOrigin.QUEUE),
        ("audit", LabelOrigin.IMPORT, True, LabelOrigin.QUEUE),
    ],
)
def test_a_row_keeps_its_own_origin_but_audits_only_where_nobody_saw_the_answer(
    own: str, given_origin: LabelOrigin, answer_seen: bool | None, stored: LabelOrigin
) -> None:
    good, _ = sifted(FileRow("", "1", "calm", origin=own), by=choice(given_origin, answer_seen))
    assert [origin for *_, origin in good] == [stored]


def test_an_audit_whose_task_showed_the_answer_is_refused() -> None:
    row = FileRow("task 1", "1", "calm", answer_shown=True)
    assert sifted(row) == ({}, {Fault.ANSWER_SHOWN: 1})


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-11-21 09:30", "2026-11-21T09:30:00+00:00"),
        ("2026-11-21T09:30:00+02:00", "2026-11-21T09:30:00+02:00"),
        ("2026-11-21T09:30:00.5Z", "2026-11-21T09:30:00.500000+00:00"),
    ],
)
def test_times_without_a_zone_are_utc(text: str, stored: str) -> None:
    row = FileRow("", "1", "calm", labelled_at=text)
    found = sift([row], choice(), labels=("calm",), found=FOUND, now=RECEIVED_AT)
    ((_, label),) = found.good.values()
    assert label.labelled_at.isoformat() == stored
