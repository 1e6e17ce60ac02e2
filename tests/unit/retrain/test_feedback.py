"""Tickets of the queue, and who may label what somebody else has labelled."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.labels.feedback.locked import is_locked
from retrain.labels.feedback.text_labels import TextLabel
from retrain.labels.feedback.tickets import VALID_FOR, Ticket, WrongTicket, checked, signed
from schemas.people_labels import LabelOrigin

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SECRET = b"s" * 32
TICKET = Ticket(
    run="spring",
    root_id="7",
    version=0,
    labeller="ann",
    origin=LabelOrigin.AUDIT,
    second=False,
    drawn_at=NOW,
)


def test_a_ticket_comes_back_as_it_was_handed_out_for_a_week() -> None:
    assert checked(signed(TICKET, SECRET), SECRET, NOW + VALID_FOR) == TICKET
    with pytest.raises(WrongTicket):
        checked(signed(TICKET, SECRET), SECRET, NOW + VALID_FOR + timedelta(seconds=1))
    with pytest.raises(WrongTicket):
        checked(signed(TICKET, b"t" * 32), SECRET, NOW)


@given(st.one_of(st.text(), st.integers(0, 200)))
def test_whatever_nobody_signed_is_no_ticket(forged: str | int) -> None:
    handed_in = signed(TICKET, SECRET)
    if isinstance(forged, int):
        place = forged % len(handed_in)
        other = "A" if handed_in[place] != "A" else "B"
        forged = handed_in[:place] + other + handed_in[place + 1 :]
    try:
        found = checked(forged, SECRET, NOW)
    except WrongTicket:
        return
    # The last sign of Base64 may have bits that mean nothing.
    assert msgspec.json.encode(found) == msgspec.json.encode(TICKET)


def test_a_correction_is_locked_to_others_but_for_who_may_overrule() -> None:
    correction = LabelOrigin.CORRECTION
    assert not is_locked(correction, [], overrules=False)
    assert is_locked(correction, ["bob"], overrules=False)
    assert not is_locked(correction, ["bob"], overrules=True)


def test_an_audit_of_somebody_else_is_overruled_by_nobody_and_doubled_where_asked() -> None:
    audit = LabelOrigin.AUDIT
    assert is_locked(audit, ["bob"], overrules=True)
    assert not is_locked(audit, ["bob"], overrules=False, second_opinion=True)


def test_a_text_is_the_same_whatever_its_white_space() -> None:
    hashes = {
        TextLabel(text, "positive", "ann", NOW).text_sha256 for text in ("so  fine", " so\nfine ")
    }
    assert len(hashes) == 1
